"""Connections as the database has them; parsed once for each version that a process meets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from idp.federation.connections import stored
from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.foundation import house, vault
from idp.foundation.database import Rows
from idp.foundation.kept_pages import Same
from idp.foundation.prepared import prepared
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.secret import Secret

_table = AppliedConnection.__table__
_STANDING: Final = prepared(select(_table.c.name, _table.c.enabled, _table.c.version).order_by(_table.c.name))


@dataclass(frozen=True, slots=True)
class Applied:
    """One connection as it stands."""

    name: str
    connection: Connection
    texts: Mapping[str, str] = field(repr=False)
    enabled: bool
    version: int
    has_secret: bool


class _Parsed(dict[str, tuple[int, Connection]]):
    """One process's parsed documents, by name with their version."""

    def forget(self) -> None:
        """Hold nothing, as a new process would."""
        self.clear()


def every(tx: Rows) -> dict[str, Applied]:
    """All of them, disabled ones too, in order of their names."""
    known = house.get_or_make(_Parsed)
    found = {}
    for row in tx.execute(select(_table).order_by(_table.c.name)):
        kept = known.get(row.name)
        if kept is None or kept[0] != row.version:
            kept = known[row.name] = (row.version, stored.from_row(row.document, name=row.name))
        found[row.name] = Applied(
            row.name, kept[1], dict(row.texts), row.enabled, row.version, row.secret_sealed is not None
        )
    return found


def as_shown(tx: Rows) -> tuple[tuple[str, bool, Same], ...]:
    """What pages tell of them, for those that are kept: equal as long as nothing was applied or switched."""
    known, rows = house.get_or_make(_Parsed), tx.execute(_STANDING).all()
    if any(row.name not in known or known[row.name][0] != row.version for row in rows):
        every(tx)
    return tuple((row.name, row.enabled, Same(known[row.name][1])) for row in rows)


def open_at(tx: Rows, *, portal: str) -> dict[str, Connection]:
    """What is switched on and offered by a portal."""
    applied = every(tx).values()
    return {each.name: each.connection for each in applied if each.enabled and portal in each.connection.portals}


def find(tx: Rows, name: str) -> Applied | None:
    """One by its name, switched off or not."""
    return every(tx).get(name)


def secret_of(tx: Rows, name: str) -> Secret | None:
    """Our client secret at it, if it was set."""
    sealed = tx.execute(select(_table.c.secret_sealed).where(_table.c.name == name)).scalar_one_or_none()
    if sealed is None:
        return None
    return Secret(vault.unseal(bytes(sealed), keys=house.get(Keyring).vault, context=secret_context(name)).decode())


def secret_context(name: str) -> str:
    """Where the secret is sealed for."""
    return f"connection.secret_sealed:{name}"


resealing.register("connection.secret", resealing.of_column(AppliedConnection.secret_sealed, context=secret_context))
