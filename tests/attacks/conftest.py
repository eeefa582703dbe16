"""The protocol's clients and flows for every attack test (`tests/oidc/conftest.py` says what they are), a served provider."""

from tests.attacks.served import served
from tests.oidc.conftest import flow, open_flow, watch, world

__all__ = ["flow", "open_flow", "served", "watch", "world"]
