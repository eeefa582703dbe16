"""What the keys' folder may look like, which key signs, and when a key may move on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.vocabulary.refused import Refused

RETIRED_LIFE: Final = timedelta(hours=25)
"""How long a retired key stays published: an ID token counts as a hint for a day after it was made."""
NEXT_AGE: Final = timedelta(minutes=1)
"""How long a key is published before it may sign: nodes look every second, relying parties when they meet a new `kid`."""
NEEDED_ALGS: Final = ("ES256", "RS256")
"""Access tokens are ES256 and ID tokens RS256 unless a client asked otherwise (PROTOCOL 1, 4)."""
DEMO_PREFIX: Final = "demo-"


class Use(StrEnum):
    """What a key is for; the name of its folder."""

    SIGNING = "signing"
    FEDERATION = "federation"
    SAML = "saml"
    ENCRYPTION = "encryption"
    VAULT = "vault"
    INDEX = "index"
    PUSH = "push"


ASYMMETRIC: Final = (Use.SIGNING, Use.FEDERATION, Use.SAML, Use.PUSH)
"""These sign, and others know their public halves: tokens, assertions to upstream providers, SAML requests, push services."""
OPENING: Final = (Use.ENCRYPTION,)
"""These open what providers of sign-in elsewhere encrypt to their published halves."""
NEEDED: Final = (Use.SIGNING, Use.VAULT, Use.INDEX)
"""Without these nothing runs; the others are asked for by the first connection that needs them, and without a push key
phones are asked all the same, when their app looks."""


class State(StrEnum):
    """Where a key stands; folders are read in this order, in which keys also move, so that none is ever missed."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


class Reason(StrEnum):
    """Why keys were not moved."""

    NEXT_TOO_YOUNG = "next_too_young"
    NO_NEXT = "no_next"
    UNKNOWN_KID = "unknown_kid"
    STILL_NEEDED = "still_needed"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file of the folder; `alg` is None for vault and index keys, ES256 for push keys
    (RFC 8292 §2), and what it opens for encryption keys. Equal moments are settled by `kid`."""

    use: Use
    state: State
    kid: str
    alg: str | None
    created_at: datetime
    retired_at: datetime | None = None
    active_since: datetime | None = None
    exposed: bool = field(default=False, compare=False)
    """Whether others on the machine may read the file or its folder."""


def newest(files: Iterable[KeyFile]) -> KeyFile | None:
    """Of several active keys (a rotation stopped half way) the one that came last."""
    return max(files, key=lambda file: (file.active_since or file.created_at, file.kid), default=None)


def signing_algs(files: Iterable[KeyFile]) -> frozenset[str]:
    """The algorithms that the folder can sign with."""
    return frozenset(
        file.alg for file in files if file.use is Use.SIGNING and file.state is State.ACTIVE and file.alg is not None
    )


def published(file: KeyFile, *, now: datetime) -> bool:
    """Whether a signing key is still shown and accepted (KY-10)."""
    return file.state is not State.RETIRED or (file.retired_at is not None and now < file.retired_at + RETIRED_LIFE)


def may_promote(file: KeyFile | None, *, now: datetime, at_once: bool) -> Refused | None:
    """Whether the `next` key may become the active one."""
    if file is None:
        return Refused(Reason.NO_NEXT)
    young = now - file.created_at < NEXT_AGE
    return Refused(Reason.NEXT_TOO_YOUNG) if young and not at_once else None


def recently_sealing(file: KeyFile, *, now: datetime) -> bool:
    """Whether a node that has not looked yet may still be sealing with a retired key."""
    return file.retired_at is not None and now - file.retired_at < NEXT_AGE


def problems(files: Sequence[KeyFile], *, production: bool) -> tuple[str, ...]:
    """Everything that makes a folder unusable, each with what to do (SECURITY R-21, KY-14)."""
    found = [f"there is no active {use} key: run `idp keys create`" for use in NEEDED if not _has_active(files, use)]
    lacking = [alg for alg in NEEDED_ALGS if _has_active(files, Use.SIGNING) and alg not in signing_algs(files)]
    found += [f"there is no active {alg} signing key: run `idp keys create`" for alg in lacking]
    seen: set[str] = set()
    for file in files:
        place = f"{file.use}/{file.state}/{file.kid}"
        if file.kid in seen:
            found.append(f"{place}: another key has the same kid")
        seen.add(file.kid)
        if production and file.kid.startswith(DEMO_PREFIX):
            found.append(f"{place}: a demo key in production")
        if production and file.exposed:
            found.append(f"{place}: others may read it: chmod 600 the file, 700 its folders")
    return tuple(found)


def _has_active(files: Iterable[KeyFile], use: Use) -> bool:
    return any(file.use is use and file.state is State.ACTIVE for file in files)
