"""Connections put into the running demo, as an operator would."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.journeys.demo import ROOT, Demo

_APPLY = """
import sys
from datetime import UTC, datetime
from idp import create_app, settings
from idp.foundation.origin import Origin
from idp.manifests.connections import service
from idp.manifests.connections.service import Outcome
from idp.vocabulary.secret import Secret
now, origin = datetime.now(UTC), Origin.local("test")
with create_app(settings.load()).app_context():
    done = service.apply(sys.argv[1], now=now, origin=origin)
    assert isinstance(done, Outcome), done
    for pair in sys.argv[2:]:
        name, _, secret = pair.partition("=")
        refused = service.set_secret(name, Secret(secret), now=now, origin=origin)
        assert refused is None, refused
"""


def apply(demo: Demo, folder: Path, secrets: Mapping[str, str] | None = None) -> None:
    """All connections of a folder; our secret at the named ones."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")} | {
        "IDP_MODE": "demo",
        "IDP_ISSUER": demo.issuer,
        "IDP_DATA_DIR": str(demo.data_dir),
    }
    done = subprocess.run(
        [sys.executable, "-c", _APPLY, str(folder), *(f"{name}={secret}" for name, secret in (secrets or {}).items())],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
