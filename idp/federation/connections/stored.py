"""How a connection is kept: as JSON without its defaults, TINs sealed (SECURITY ST-04)."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.foundation import house, vault
from idp.keyring import resealing
from idp.keyring.service import Keyring


def to_row(connection: Connection, *, name: str) -> dict[str, Any]:
    """The JSON for `connection.document`."""
    keys, context = house.get(Keyring).vault, _context(name)

    def sealed(tin: str) -> str:
        return b64encode(vault.seal(tin.encode(), keys=keys, context=context)).decode()

    return _turned(connection.model_dump(mode="json", exclude_defaults=True), sealed)


def from_row(kept: Mapping[str, Any], *, name: str) -> Connection:
    """The connection of a row; it was checked when it was applied."""
    keys, context = house.get(Keyring).vault, _context(name)

    def opened(tin: str) -> str:
        return vault.unseal(b64decode(tin), keys=keys, context=context).decode()

    return Connection.model_validate(_turned(kept, opened))


def _turned(document: Mapping[str, Any], turn: Callable[[str], str]) -> dict[str, Any]:
    """The document with each TIN turned; only tables that name practices have any."""
    found = dict(document)
    if "tins" in found.get("home", {}):
        found["home"] = _table(found["home"], turn)
    for name in ("brings", "asserts"):
        if name in found:
            found[name] = [_table(each, turn) for each in found[name]]
    return found


def _table(table: Mapping[str, Any], turn: Callable[[str], str]) -> dict[str, Any]:
    return {**table, "tins": [turn(tin) for tin in table["tins"]]}


def _some(tx: Session) -> int:
    """Connections are few: all that have a TIN under another key, at once."""
    table, active = AppliedConnection.__table__, house.get(Keyring).vault.active
    moved = 0
    for row in tx.execute(select(table.c.name, table.c.document).with_for_update()).all():
        stale: list[bool] = []

        def look(tin: str, stale: list[bool] = stale) -> str:
            stale.append(vault.key_of(b64decode(tin)) != active)
            return tin

        _turned(row.document, look)
        if any(stale):
            document = to_row(from_row(row.document, name=row.name), name=row.name)
            tx.execute(update(AppliedConnection).where(AppliedConnection.name == row.name).values(document=document))
            moved += 1
    return moved


def _context(name: str) -> str:
    return f"connection.document:{name}"


resealing.register("connection.document", _some)
