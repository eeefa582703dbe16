"""The protocol's clients and flows for every attack test (`tests/oidc/conftest.py` says what they are)."""

from tests.oidc.conftest import flow, open_flow, watch, world

__all__ = ["flow", "open_flow", "watch", "world"]
