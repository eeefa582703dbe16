"""A folder of keys, made once for each worker."""

from datetime import UTC, datetime
from pathlib import Path

from idp.foundation.algorithms import Alg
from idp.keyring import rotation

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def write_keys(folder: Path, *, demo: bool = False) -> Path:
    """An active and a next key of the usual algorithms and EdDSA, a vault key, an index key."""
    rotation.create(folder, now=MADE, algs=(Alg.ES256, Alg.RS256, Alg.EDDSA), demo=demo)
    return folder
