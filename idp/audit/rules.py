"""What an event contains, how it is hashed, and how a broken chain is recognized. Facts in, outcome out."""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from idp.vocabulary.secret import Secret

STREAMS: Final = 16
GENESIS: Final = bytes(32)
"""What the first event of a stream takes for the hash before it."""
TEXT_LIMIT: Final = 500
DEPTH_LIMIT: Final = 4
MEMBERS_LIMIT: Final = 64
_MASK: Final = "***"
_NEVER_STORED: Final = frozenset(
    {
        "answer", "assertion", "client_secret", "code", "code_verifier", "cookie", "id_token", "login", "new_password",
        "otp", "password", "pin", "private_key", "refresh_token", "secret", "ssn", "tin", "token", "access_token",
        "typed", "user_id", "username",
    }
)  # fmt: skip
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Fault(StrEnum):
    """Why a row cannot be what was written."""

    ALTERED = "altered"
    """Its content does not give its hash: changed after it was written, or moved to another place."""
    MISSING = "missing"
    """The row of this number is gone."""
    INSERTED = "inserted"
    """It stands where the chain has no place for it."""
    UNLINKED = "unlinked"
    """It does not follow the row before it: inserted, reordered or replaced."""
    CUT = "cut"
    """The chain ends before its head says."""
    HEAD_ALTERED = "head_altered"
    """The head does not name the last row."""
    NOT_AS_EXPORTED = "not_as_exported"
    """An exported head names another row here, or one that is gone (AU-03)."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything of an event that its hash covers, but for its place in the chain."""

    id: UUID
    at: datetime
    type: str
    outcome: str
    actor: str
    subject_id: str | None
    client_id: str | None
    target_kind: str | None
    target_id: str | None
    details: Mapping[str, Any]
    address: str
    session_digest: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A place in one stream's chain."""

    stream: int
    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is stored."""

    content: Content
    link: Link
    previous_hash: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """The first row of a stream that is not as it was written."""

    stream: int
    sequence: int
    fault: Fault


def stream_of(*, target_kind: str | None, target_id: str | None, subject_id: str | None, client_id: str | None) -> int:
    """The stream of an event: by its target, else its person, else its client, else the system's own (ruling 21)."""
    if target_id is not None:
        key = f"{target_kind}:{target_id}"
    elif subject_id is not None:
        key = f"subject:{subject_id}"
    else:
        key = f"client:{client_id}" if client_id is not None else "system"
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()[0] % STREAMS


def clean_text(value: str, *, limit: int = TEXT_LIMIT) -> str:
    """Text without control, format or surrogate characters, no longer than `limit` (log injection, ST-13)."""
    visible = value[: limit + 1]
    if not visible.isprintable():  # nothing invisible is printable; a space of another script is neither
        visible = "".join("\ufffd" if unicodedata.category(char) in _INVISIBLE else char for char in visible)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def clean_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details as they may be stored: bounded, printable, JSON; a value whose name says *secret* is masked.

    A `Secret`, a float or an unknown type raises: what cannot be stored exactly cannot be verified later.
    """
    cleaned = _clean(details, depth=0)
    assert isinstance(cleaned, dict)
    return cleaned


def _clean(value: Any, *, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise ValueError("audit details are nested too deep")
    match value:
        case Secret():
            raise ValueError("a secret is no audit detail")
        case None | bool() | int():
            return value
        case str():
            return clean_text(str(value))
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            kept = list(value.items())[:MEMBERS_LIMIT]
            return {clean_text(str(name), limit=64): _member(str(name), item, depth=depth) for name, item in kept}
        case Sequence() | set() | frozenset() if not isinstance(value, bytes | bytearray):
            items = value if isinstance(value, Sequence) else sorted(value)
            return [_clean(item, depth=depth + 1) for item in items[:MEMBERS_LIMIT]]
        case _:
            raise ValueError(f"audit details cannot hold {type(value).__name__}")


def _member(name: str, item: Any, *, depth: int) -> Any:
    masked = name.lower() in _NEVER_STORED and item is not None
    return _MASK if masked else _clean(item, depth=depth + 1)


def trace_of(typed: str, *, key: bytes) -> str:
    """What is kept of a name that somebody typed: enough to see the same again, never the text itself (AU-07)."""
    return hmac.digest(key, b"audit.typed\x00" + typed.encode("utf-8", "surrogatepass"), "sha256").hex()[:16]


def canonical(content: Content, *, stream: int, sequence: int, previous_hash: bytes) -> bytes:
    """The one JSON text of an event in its place: sorted names, no blanks, UTF-8, UTC to the microsecond."""
    return json.dumps(
        {
            "stream": stream,
            "sequence": sequence,
            "previous_hash": previous_hash.hex(),
            "id": str(content.id),
            "at": content.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "type": content.type,
            "outcome": content.outcome,
            "actor": content.actor,
            "subject_id": content.subject_id,
            "client_id": content.client_id,
            "target_kind": content.target_kind,
            "target_id": content.target_id,
            "details": content.details,
            "address": content.address,
            "session_digest": content.session_digest,
            "request_id": content.request_id,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def hash_of(content: Content, *, stream: int, sequence: int, previous_hash: bytes) -> bytes:
    """SHA-256 over all content, the place in the chain and the hash before it (AU-02)."""
    return hashlib.sha256(canonical(content, stream=stream, sequence=sequence, previous_hash=previous_hash)).digest()


def inspect(entry: Entry, *, after: Link) -> BadRow | None:
    """Whether `entry` is the row that was written next after `after`."""
    link, expected = entry.link, after.sequence + 1
    if link.sequence > expected:
        return BadRow(link.stream, expected, Fault.MISSING)
    if link.sequence < expected:
        return BadRow(link.stream, link.sequence, Fault.INSERTED)
    try:
        computed = hash_of(entry.content, stream=link.stream, sequence=link.sequence, previous_hash=entry.previous_hash)
    except ValueError:
        computed = b""
    if computed != link.hash:
        return BadRow(link.stream, link.sequence, Fault.ALTERED)
    if entry.previous_hash != after.hash:
        return BadRow(link.stream, link.sequence, Fault.UNLINKED)
    return None


def inspect_end(last: Link, *, head: Link | None) -> BadRow | None:
    """Whether a stream ends where its head says."""
    if head is None:
        return BadRow(last.stream, last.sequence, Fault.HEAD_ALTERED)
    if last.sequence < head.sequence:
        return BadRow(last.stream, last.sequence + 1, Fault.CUT)
    if last.sequence > head.sequence:
        return BadRow(last.stream, head.sequence + 1, Fault.INSERTED)
    return None if last.hash == head.hash else BadRow(last.stream, last.sequence, Fault.HEAD_ALTERED)


def formula_safe(cell: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula (ST-13)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
