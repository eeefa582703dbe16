"""From the text of connections to what may be applied or reasons, and from two of them to what changes."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from idp.federation.connections import rules as connections
from idp.federation.connections.manifest import Connection
from idp.federation.upstream_saml import faults as saml
from idp.manifests.lines import lines_of
from idp.manifests.rules import (
    Change,
    Difference,
    Kind,
    Source,
    Violation,
    dotted,
    flat,
    located,
    not_toml,
    shape,
    shown,
    size,
)
from idp.relying_parties.faults import Ground, Path
from idp.relying_parties.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Checked:
    """A connection that may be applied."""

    name: str
    connection: Connection
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A connection as the database has it."""

    connection: Connection
    texts: Mapping[str, str]
    enabled: bool


def read(
    sources: tuple[Source, ...], *, portals: Mapping[str, Manifest], ground: Ground, now: datetime
) -> tuple[tuple[Checked, ...], tuple[Violation, ...]]:
    """Every connection that parses, and all that is wrong with any of them."""
    found: dict[str, Checked] = {}
    wrong: list[Violation] = []
    places: dict[str, tuple[Source, dict[Path, int]]] = {}
    for source in sources:
        name = source.client_id
        if (reason := connections.wrong_name(name)) is not None:
            wrong.append(Violation(source.file, 1, "", f"{name!r}: {reason}"))
        try:
            given = tomllib.loads(source.text)
        except tomllib.TOMLDecodeError as error:
            wrong.append(not_toml(source, error))
            continue
        lines = lines_of(source.text)
        places[name] = (source, lines)
        if source.base_url is not None:
            given = given | {"issuer": source.base_url}
        try:
            connection = Connection.model_validate(given)
        except ValidationError as error:
            wrong += [located(fault, source, lines) for fault in shape(error)]
            continue
        found[name] = Checked(name, connection, dict(source.texts))
        single = connections.faults(connection, texts=source.texts, ground=ground, now=now)
        wrong += [located(fault, source, lines) for fault in single]
    for name, fault in connections.across({each.name: each.connection for each in found.values()}, portals=portals):
        wrong.append(located(fault, *places[name]))
    return tuple(found.values()), tuple(sorted(wrong, key=lambda each: (each.file, each.line, each.key)))


def plan(wanted: tuple[Checked, ...], *, standing: Mapping[str, Standing], now: datetime) -> tuple[Change, ...]:
    """What applying would do, in order of names."""
    changes = [_change(each, standing.get(each.name), now=now) for each in wanted]
    named = {each.name for each in wanted}
    changes += [
        Change(name, Kind.DISABLED, ends="nobody signs in by it any more")
        for name, each in standing.items()
        if name not in named and each.enabled
    ]
    return tuple(sorted(changes, key=lambda change: change.client_id))


def with_ends(change: Change, *, ended: int, less: int) -> Change:
    """The change, and whose access ends by it (`idp.federation.asserting.foresee`)."""
    told = [change.ends] if change.ends is not None else []
    told += [f"access that it asserted ends: {_people(ended)}"] if ended else []
    told += [f"access that it asserted becomes less: {_people(less)}"] if less else []
    return replace(change, ends="; ".join(told) or None)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _change(wanted: Checked, before: Standing | None, *, now: datetime) -> Change:
    if before is None:
        return Change(wanted.name, Kind.ADDED)
    differences = tuple(_differences(before, wanted, now=now))
    ends = None
    if before.connection.issuer != wanted.connection.issuer:
        ends = "its issuer changed: links made with the former one name nobody any more"
    return Change(
        wanted.name, Kind.CHANGED if differences else Kind.UNCHANGED, differences, ends, asleep=not before.enabled
    )


def _differences(before: Standing, after: Checked, *, now: datetime) -> Iterator[Difference]:
    yield from _metadata(before, after, now=now)
    old = dict(flat((), before.connection.model_dump(mode="json", exclude_defaults=True)))
    new = dict(flat((), after.connection.model_dump(mode="json", exclude_defaults=True)))
    for path in dict.fromkeys((*old, *new)):
        if old.get(path) != new.get(path):
            yield Difference(dotted(path), shown(path, old.get(path)), shown(path, new.get(path)))
    for name in sorted(before.texts.keys() | after.texts.keys()):
        one, other = before.texts.get(name), after.texts.get(name)
        if one != other:
            yield Difference(f"texts.{name}", size(one), size(other))


def _metadata(before: Standing, after: Checked, *, now: datetime) -> Iterator[Difference]:
    """What another metadata file changes: addresses, and certificates by their fingerprints (FE-44)."""
    old, new = _said(before.connection, before.texts, now=now), _said(after.connection, after.texts, now=now)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Difference(name, old.get(name), new.get(name))


def _said(connection: Connection, texts: Mapping[str, str], *, now: datetime) -> Mapping[str, str]:
    if connection.saml is None or saml.METADATA not in texts:
        return {}
    return saml.shown(connection.saml, entity_id=connection.issuer, text=texts[saml.METADATA], now=now)
