"""Unmodified relying parties, each started from its own package, against a running demo."""

from pathlib import Path

import pytest

from tests.interop.npm import installed
from tests.interop.relying_parties import PEERS
from tests.journeys.demo import Demo, shared


@pytest.fixture(scope="session")
def demo() -> Demo:
    return shared()


@pytest.fixture(scope="session")
def openid_client() -> Path:
    return installed(PEERS / "openid-client")


@pytest.fixture(scope="session")
def oauth4webapi() -> Path:
    return installed(PEERS / "oauth4webapi")
