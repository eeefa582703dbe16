"""From the text of manifests to relying parties or reasons, and from two manifests to what changes."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from idp.enrollment import rules as enrollment
from idp.manifests import partly
from idp.manifests.lines import line_of, lines_of
from idp.relying_parties.faults import Fault, Ground, Path
from idp.relying_parties.look import rules as look
from idp.relying_parties.look.logo import wrong_logo
from idp.relying_parties.manifest import Manifest
from idp.relying_parties.portal import rules as portal
from idp.relying_parties.registration import rules as registration

_AT_LINE: Final = re.compile(r" ?\(at line (\d+), column \d+\)")
_WORDING: Final = {"missing": "is missing", "extra_forbidden": "is not a key that manifests have"}


@dataclass(frozen=True, slots=True)
class Source:
    """One manifest as it lies in its folder."""

    client_id: str
    file: str
    """Its name, as reasons give it."""
    text: str
    texts: Mapping[str, str] = field(default_factory=dict)
    """The files in the folder of the same name beside it."""
    base_url: str | None = None
    """Said by who applies, over the manifest's own (another port in the demo)."""
    jwks: Mapping[str, Any] | None = None
    """Public keys made outside the manifest (the demo's)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a manifest cannot be applied, and where to look."""

    file: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ' ' if self.key else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A manifest that may be applied."""

    client_id: str
    manifest: Manifest
    texts: Mapping[str, str]


def read(sources: tuple[Source, ...], *, ground: Ground) -> tuple[tuple[Checked, ...], tuple[Violation, ...]]:
    """Every manifest that parses, and all that is wrong with any of them."""
    found: list[Checked] = []
    wrong: list[Violation] = []
    places: dict[str, tuple[Source, dict[Path, int]]] = {}
    for source in sources:
        reason = registration.wrong_client_id(source.client_id)
        if reason is not None:
            wrong.append(Violation(source.file, 1, "", f"{source.client_id!r}: {reason}"))
        try:
            given = tomllib.loads(source.text)
        except tomllib.TOMLDecodeError as error:
            wrong.append(not_toml(source, error))
            continue
        lines = lines_of(source.text)
        places[source.client_id] = (source, lines)
        given = _overlaid(given, source)
        try:
            manifest = Manifest.model_validate(given)
        except ValidationError as error:
            misshapen = tuple(shape(error))
            rest = partly.faults(given, broken={str(fault.path[0]) for fault in misshapen}, ground=ground)
            wrong += [located(fault, source, lines) for fault in (*misshapen, *rest)]
            continue
        checked = Checked(source.client_id, manifest, dict(source.texts))
        found.append(checked)
        wrong += [located(fault, source, lines) for fault in _faults(checked, ground)]
        if portal.LOGO in source.texts and (reason := wrong_logo(source.texts[portal.LOGO])) is not None:
            wrong.append(Violation(f"{source.client_id}/{portal.LOGO}", 1, "", reason))
    for client_id, fault in _across(tuple(found), known=frozenset(places)):
        wrong.append(located(fault, *places[client_id]))
    return tuple(found), tuple(sorted(wrong, key=lambda each: (each.file, each.line, each.key)))


def at_sector(source: Source, reason: str) -> Violation:
    """What is wrong with the document behind a manifest's `sector_identifier_uri`."""
    return located(Fault(("registration", "sector_identifier_uri"), reason), source, lines_of(source.text))


def _faults(checked: Checked, ground: Ground) -> Iterator[Fault]:
    yield from registration.faults(checked.manifest, ground=ground)
    yield from portal.faults(checked.manifest, texts=checked.texts, ground=ground)
    yield from look.faults(checked.manifest.brand)
    yield from enrollment.faults(checked.manifest)


def _across(found: tuple[Checked, ...], *, known: frozenset[str]) -> Iterator[tuple[str, Fault]]:
    """What must hold between manifests; one that could not be read is not called absent."""
    portals = {each.client_id for each in found if each.manifest.portal is not None}
    unread = known - {each.client_id for each in found}
    for each in found:
        named = each.manifest.registration.roles_of
        if named is not None and named not in portals | unread:
            yield each.client_id, Fault(("registration", "roles_of"), f"{named!r} is not a portal of this folder")


def _overlaid(given: dict[str, Any], source: Source) -> dict[str, Any]:
    if source.base_url is not None:
        given = given | {"base_url": source.base_url}
    if source.jwks is not None and isinstance(given.get("registration"), dict):
        own = {name: value for name, value in given["registration"].items() if name != "jwks_uri"}
        given = given | {"registration": own | {"jwks": dict(source.jwks)}}
    return given


def shape(error: ValidationError) -> Iterator[Fault]:
    """What pydantic found; its messages hold no input."""
    for each in error.errors(include_input=False, include_url=False):
        message = str(each["msg"])
        yield Fault(tuple(each["loc"]), _WORDING.get(each["type"], message[:1].lower() + message[1:]))


def not_toml(source: Source, error: tomllib.TOMLDecodeError) -> Violation:
    """Where the text stops being TOML."""
    message = str(error)
    match = _AT_LINE.search(message)
    line = int(match[1]) if match else source.text.count("\n") + 1
    return Violation(source.file, line, "", "is not TOML: " + _AT_LINE.sub("", message))


def located(fault: Fault, source: Source, lines: dict[Path, int]) -> Violation:
    """A fault with its file and line."""
    return Violation(source.file, line_of(fault.path, lines=lines), dotted(fault.path), fault.reason)


def dotted(path: Path) -> str:
    """`registration.redirect_uris[0]`."""
    said = ""
    for part in path:
        said += f"[{part}]" if isinstance(part, int) else f".{part}" if said else part
    return said


class Kind(StrEnum):
    """What applying does to one client."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DISABLED = "disabled"
    """Its manifest is gone: nothing of it is deleted, it only stops."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that differs; texts appear as `texts.<file>`, without their content."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What applying does to one client, and why that ends what was issued to it, if it does."""

    client_id: str
    kind: Kind
    differences: tuple[Difference, ...] = ()
    ends: str | None = None
    """Epoch + 1: every grant and token of this client dies, and this is why."""
    asleep: bool = False
    """It is disabled and stays so: only a person who says `enable` wakes it, never a routine apply."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A client as it stands in the database."""

    manifest: Manifest
    texts: Mapping[str, str]
    enabled: bool


def plan(wanted: tuple[Checked, ...], *, applied: Mapping[str, Applied]) -> tuple[Change, ...]:
    """What applying would do, client by client in order of their IDs."""
    changes = [_change(each, applied.get(each.client_id)) for each in wanted]
    named = {each.client_id for each in wanted}
    changes += [
        Change(client_id, Kind.DISABLED, ends="it is disabled")
        for client_id, now in applied.items()
        if client_id not in named and now.enabled
    ]
    return tuple(sorted(changes, key=lambda change: change.client_id))


def _change(wanted: Checked, before: Applied | None) -> Change:
    if before is None:
        return Change(wanted.client_id, Kind.ADDED)
    differences = tuple(_differences(before, wanted))
    kind = Kind.CHANGED if differences else Kind.UNCHANGED
    ends = narrowed(before.manifest, wanted.manifest)
    return Change(wanted.client_id, kind, differences, ends, asleep=not before.enabled)


def narrowed(before: Manifest, after: Manifest) -> str | None:
    """Why what was issued under `before` must not live on under `after`; `None` when it may.

    Whatever takes a right away, or changes who is answered or how the client proves itself. New keys or secrets do
    not: rotation is routine (to end a stolen one's grants, disable and enable). Looks, texts, levels and what is
    read at each token anyway (evidence, roles) do not.
    """
    old, new = before.registration, after.registration
    if old.token_endpoint_auth_method != new.token_endpoint_auth_method:
        return "its authentication method changed"
    if (old.subject_type, old.sector_identifier_uri) != (new.subject_type, new.sector_identifier_uri):
        return "its subjects changed"
    if before.portal is not None and (after.portal is None or before.portal.registry != after.portal.registry):
        return "its registry changed"
    if not _redirects(before) <= _redirects(after):
        return "a redirect URI is gone"
    for name, taken in (("grant_types", "a grant"), ("resources", "a resource")):
        if not set(getattr(old, name)) <= set(getattr(new, name)):
            return f"{taken} is gone"
    if not set(old.scope.split()) <= set(new.scope.split()):
        return "a scope is gone"
    if (old.first_party and not new.first_party) or (old.ssn_tins and not new.ssn_tins):
        return "it is trusted less"
    return None if _approved(before) <= _approved(after) else "it is approved for less"


def _redirects(manifest: Manifest) -> set[str]:
    uris = manifest.registration.redirect_uris
    return {manifest.base_url + uri if uri.startswith("/") else uri for uri in uris}


def _approved(manifest: Manifest) -> set[tuple[str, str]]:
    approved = manifest.registration.approved_for
    if approved is None:
        return set()
    return {(approved.registry, number) for number in (*approved.provider_ids, *approved.tins)}


def _differences(before: Applied, after: Checked) -> Iterator[Difference]:
    old = dict(flat((), before.manifest.model_dump(mode="json", exclude_defaults=True)))
    new = dict(flat((), after.manifest.model_dump(mode="json", exclude_defaults=True)))
    for path in dict.fromkeys((*old, *new)):
        if old.get(path) != new.get(path):
            yield Difference(dotted(path), shown(path, old.get(path)), shown(path, new.get(path)))
    for name in sorted(before.texts.keys() | after.texts.keys()):
        one, other = before.texts.get(name), after.texts.get(name)
        if one != other:
            yield Difference(f"texts.{name}", size(one), size(other))


def flat(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Every value by its path; a key set is one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat((*path, key), inner)
    elif isinstance(value, list) and path != ("registration", "jwks", "keys"):
        for position, inner in enumerate(value):
            yield from flat((*path, position), inner)
    else:
        yield path, str(value)


def shown(path: Path, value: str | None) -> str | None:
    """TINs by their last four digits, key sets by nothing."""
    if value is None:
        return None
    if path[-2:-1] == ("tins",):
        return f"**-***{value[-4:]}"
    return "a key set" if path == ("registration", "jwks", "keys") else value


def size(text: str | None) -> str | None:
    """How a text is told in a difference."""
    return None if text is None else f"{len(text)} characters"
