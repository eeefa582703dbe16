"""What is wrong with the tables of a connection that name practices: each fault says where and why. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from idp.enrollment import rules as enrollment
from idp.federation.connections.manifest import Asserts, Brings, Connection, Named
from idp.relying_parties.faults import Fault, Path
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.identifiers import Malformed, Tin

MOST: Final = 200
"""Practices that one connection may name in one table."""


def faults(connection: Connection) -> Iterator[Fault]:
    """All that is wrong with them by themselves."""
    yield from _tins(("home", "tins"), connection.home.tins)
    for name, tables in (("brings", connection.brings), ("asserts", connection.asserts)):
        taken: set[tuple[str, str]] = set()
        for position, table in enumerate(tables):
            where = (name, position)
            yield from _named(where, table, connection)
            pairs = {(table.portal, tin.replace("-", "")) for tin in table.tins}
            if pairs & taken:
                yield Fault((*where, "tins"), f"names a practice of another [[{name}]] at {table.portal}")
            taken |= pairs
    for position, brings in enumerate(connection.brings):
        yield from _brings(("brings", position), brings, connection)
    for position, asserts in enumerate(connection.asserts):
        if not asserts.levels and not asserts.account_manager:
            yield Fault(("asserts", position), "gives nothing: neither levels nor account_manager names a value")
        yield from _empty(("asserts", position), asserts)


def across(connections: Mapping[str, Connection], *, portals: Mapping[str, Manifest]) -> Iterator[tuple[str, Fault]]:
    """What must hold between them and the portals as applied."""
    taken: dict[tuple[str, str], str] = {}
    for name, connection in connections.items():
        for position, asserts in enumerate(connection.asserts):
            if asserts.portal in portals:
                for fault in _at_portal(asserts, portals[asserts.portal]):
                    yield name, Fault(("asserts", position, *fault.path), fault.reason)
        for position, brings in enumerate(connection.brings):
            if brings.portal in portals:
                for fault in _in_ceremony(brings, connection, portals[brings.portal]):
                    yield name, Fault(("brings", position, *fault.path), fault.reason)
        for position, tin in enumerate(connection.home.tins):
            for portal in connection.portals:
                other = taken.setdefault((portal, tin.replace("-", "")), name)
                if other != name:
                    yield name, Fault(("home", "tins", position), f"is {other}'s at {portal} already")
                    break


def _tins(where: Path, tins: Sequence[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    if len(tins) > MOST:
        yield Fault(where, f"names more than {MOST} practices")
    for position, text in enumerate(tins):
        try:
            tin = Tin.parse(text)
        except Malformed as error:
            yield Fault((*where, position), str(error))
            continue
        if tin in seen:
            yield Fault((*where, position), "is listed twice")
        seen.add(tin)


def _named(where: Path, table: Named, connection: Connection) -> Iterator[Fault]:
    if table.portal not in connection.portals:
        yield Fault((*where, "portal"), "does not offer this connection")
    if not table.tins:
        yield Fault((*where, "tins"), "is empty: it counts for no practice")
    yield from _tins((*where, "tins"), table.tins)


def _brings(where: Path, table: Brings, connection: Connection) -> Iterator[Fault]:
    if not table.values:
        yield Fault((*where, "values"), "is empty: no value would count")
    if table.portal not in connection.people.ceremonies:
        yield Fault((*where, "portal"), "has no ceremony in people.ceremonies to which evidence could be brought")


def _empty(where: Path, table: Asserts) -> Iterator[Fault]:
    for value, levels in table.levels.items():
        if not levels:
            yield Fault((*where, "levels", value), "names no level")


def _at_portal(table: Asserts, manifest: Manifest) -> Iterator[Fault]:
    managing = {level.key for level in manifest.levels if level.manages}
    catalogue = {level.key for level in manifest.levels}
    for value, levels in table.levels.items():
        for level in levels:
            if level in managing:
                yield Fault(("levels", value), f"{level!r} shows the account manager's mark: see account_manager")
            elif level not in catalogue:
                yield Fault(("levels", value), f"{level!r} is not a level of {table.portal}")
    portal = manifest.portal
    if portal is None:
        return
    if not {TargetKind.PRACTICE, TargetKind.PROVIDER} & set(portal.acting_for):
        yield Fault(("portal",), "acts for no practice")
    if not table.kind.suffices(portal.accepts):
        yield Fault(("kind",), f"{table.kind.value} lets nobody act: {table.portal} accepts {portal.accepts.value}")
    if table.account_manager and not table.kind.suffices(portal.accepts_for_manager):
        least = portal.accepts_for_manager.value
        yield Fault(("account_manager",), f"needs kind {least} at least, which {table.portal} asks of account managers")


def _in_ceremony(table: Brings, connection: Connection, manifest: Manifest) -> Iterator[Fault]:
    ceremony = manifest.enrollment.get(connection.people.ceremonies.get(table.portal, ""))
    if ceremony is None:
        return
    if enrollment.step_for_practice(ceremony) is None:
        yield Fault(("portal",), "its ceremony has no step that proves a practice")
    portal = manifest.portal
    if portal is None:
        return
    if TargetKind.PRACTICE not in portal.acting_for:
        yield Fault(("portal",), "does not act for practices as a whole, which is what is brought")
    if table.account_manager and not table.kind.suffices(portal.accepts_for_manager):
        least = portal.accepts_for_manager.value
        yield Fault(("account_manager",), f"needs kind {least} at least, which {table.portal} asks of account managers")
    if not table.account_manager and not portal.default_levels:
        yield Fault(("portal",), "gives no default_levels: whoever brings evidence could do nothing")
