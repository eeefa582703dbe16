"""All tables of the house in one `MetaData`."""

import importlib
from pathlib import Path
from typing import Final

from sqlalchemy import MetaData

_IDP: Final = Path(__file__).resolve().parent.parent
_FOUNDATION: Final = ("artefacts", "epochs", "limiter")


def metadata() -> MetaData:
    """Every room's tables; importing them is what registers them."""
    from idp.foundation.database import Model

    for path in sorted(_IDP.rglob("models.py")):
        importlib.import_module(".".join(("idp", *path.relative_to(_IDP).with_suffix("").parts)))
    for name in _FOUNDATION:
        importlib.import_module(f"idp.foundation.{name}")
    return Model.metadata
