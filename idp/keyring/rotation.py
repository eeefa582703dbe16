"""Making keys and moving them on. Every step leaves a folder that readers can work with (RA-10).

Keys are made before anything moves, so that `around` holds its lock for a moment only.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from idp.foundation import jwe, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jwe import Wrap
from idp.foundation.vault import KEY_BYTES
from idp.keyring import folder, rules
from idp.keyring.folder import Loaded
from idp.keyring.rules import ASYMMETRIC, DEMO_PREFIX, OPENING, KeyFile, Reason, State, Use
from idp.vocabulary.refused import Refused

DEFAULT_ALGS: Final = (Alg.ES256, Alg.RS256)
UPSTREAM: Final[tuple[tuple[Use, str], ...]] = (
    (Use.FEDERATION, Alg.ES256),
    (Use.FEDERATION, Alg.RS256),
    (Use.SAML, Alg.RS256),
    *((Use.ENCRYPTION, alg) for alg in jwe.MADE_FOR),
)
"""What providers of sign-in elsewhere take from us: assertions of this house (some take RSA alone), requests of SAML (SHA-256 at least), and
keys to encrypt ID tokens to."""
ROTATING: Final = (*ASYMMETRIC, *OPENING, Use.VAULT)
"""An index key stays: what it digested cannot be read back, so it cannot be digested again."""
PRUNED: Final = tuple(use for use in (*ASYMMETRIC, *OPENING) if use is not Use.PUSH)
"""A retired push key rings phones that have not opened their app since; `retire` takes it away."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """Which keys were made, began to be used, stopped, and left the folder."""

    created: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


Around = Callable[[Rotated], AbstractContextManager[object]]
"""What stands around a change of the folder, as `custody` puts its audit event there."""


def unrecorded(_planned: Rotated) -> AbstractContextManager[None]:
    """For the first keys of a system that has no database yet, and for tests."""
    return nullcontext()


def create(
    path: Path,
    *,
    now: datetime,
    algs: Iterable[Alg] = DEFAULT_ALGS,
    demo: bool = False,
    around: Around = unrecorded,
) -> tuple[str, ...] | Refused:
    """Fill what is missing: an active and a next key of each algorithm, use and the vault, and an index key.

    What exists is never replaced, so this may run again; `Refused(ALREADY_THERE)` when nothing was missing.
    """
    with folder.writer(path):
        files = [key.file for key in folder.load(path)[1]]
        drafts = [_draft(use, alg, state, now=now, demo=demo) for use, alg, state in missing(files, algs=algs)]
        if not drafts:
            return Refused(Reason.ALREADY_THERE)
        made = tuple(draft.kid for draft in drafts)
        with around(Rotated(created=made)):
            for draft in drafts:
                draft.put(path)
    return made


def missing(files: Sequence[KeyFile], *, algs: Iterable[str] = DEFAULT_ALGS) -> list[tuple[Use, str | None, State]]:
    """What `create` would make: a folder older than a use lacks its keys, and runs without what needs them."""
    wanted: list[tuple[Use, str | None, State]]
    wanted = [(Use.SIGNING, alg, state) for alg in algs for state in (State.ACTIVE, State.NEXT)]
    wanted += [(use, alg, state) for use, alg in UPSTREAM for state in (State.ACTIVE, State.NEXT)]
    wanted += [(Use.VAULT, None, State.ACTIVE), (Use.VAULT, None, State.NEXT), (Use.INDEX, None, State.ACTIVE)]
    wanted += [(Use.PUSH, str(Alg.ES256), state) for state in (State.ACTIVE, State.NEXT)]
    return [one for one in wanted if not _has(files, use=one[0], alg=one[1], state=one[2])]


def rotate(
    path: Path,
    *,
    now: datetime,
    use: Use = Use.SIGNING,
    alg: Alg | None = None,
    at_once: bool = False,
    around: Around = unrecorded,
) -> Rotated | Refused:
    """`next` becomes active, active becomes retired, a new `next` is made; of one algorithm or of all.

    Refused as long as a `next` is too young for everybody to know it, unless `at_once`. Nothing moves then.
    """
    if use not in ROTATING:
        return Refused(Reason.STILL_NEEDED)
    with folder.writer(path):
        loaded = folder.load(path)[1]
        algs = _algs(loaded, use=use, alg=alg)
        if not algs:
            return Refused(Reason.NO_NEXT)
        turns = []
        for each in algs:
            turn = _turn(loaded, use=use, alg=each, now=now, at_once=at_once)
            if isinstance(turn, Refused):
                return turn
            turns.append(turn)
        gone = [key.file for key in loaded if key.file.use in PRUNED and not rules.published(key.file, now=now)]
        planned = Rotated(
            created=tuple(turn.draft.kid for turn in turns),
            promoted=tuple(turn.promoted.file.kid for turn in turns if turn.promoted),
            retired=tuple(key.file.kid for turn in turns for key in turn.old),
            pruned=tuple(file.kid for file in gone),
        )
        with around(planned):
            for turn in turns:
                turn.make(path, now=now)
            for file in gone:
                folder.remove(path, use=file.use, state=file.state, kid=file.kid)
    return planned


def retire(
    path: Path, *, kid: str, now: datetime, still_sealed: bool = False, around: Around = unrecorded
) -> Rotated | Refused:
    """Take a key that signs away at once: it is no longer published, and what it signed is no longer accepted.

    For a key that leaked. An active one is replaced first; its `next` is then used without having been published
    for long. A vault key goes only when it is retired and nothing is `still_sealed` with it.
    """
    with folder.writer(path):
        loaded = folder.load(path)[1]
        key = next((key for key in loaded if key.file.kid == kid), None)
        if key is None:
            return Refused(Reason.UNKNOWN_KID)
        file = key.file
        if file.use is Use.INDEX or (file.use is Use.VAULT and (file.state is not State.RETIRED or still_sealed)):
            return Refused(Reason.STILL_NEEDED)
        turn = _replacement(loaded, file=file, now=now)
        if isinstance(turn, Refused):
            return turn
        created = (turn.draft.kid,) if turn else ()
        promoted = (turn.promoted.file.kid,) if turn and turn.promoted else ()
        planned = Rotated(created, promoted, retired=(kid,), pruned=(kid,))
        with around(planned):
            if turn is not None:
                turn.make(path, now=now)
            for state in State:
                folder.remove(path, use=file.use, state=state, kid=kid)
    return planned


def listed(path: Path) -> tuple[KeyFile, ...]:
    """What the folder holds, without what is in it."""
    return tuple(key.file for key in folder.load(path)[1])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A key that was made and is in no folder yet."""

    use: Use
    state: State
    members: Mapping[str, Any] = field(repr=False)

    @property
    def kid(self) -> str:
        return str(self.members["kid"])

    def put(self, path: Path) -> None:
        folder.write(path, use=self.use, state=self.state, members=self.members)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One rotation: what will be `next`, what will be active, and what was."""

    draft: _Draft
    promoted: Loaded | None
    old: tuple[Loaded, ...]

    def make(self, path: Path, *, now: datetime) -> None:
        """The new `next` first, then the new active beside the old, then the old away: never a moment without."""
        self.draft.put(path)
        if self.promoted is not None:
            folder.move(path, key=self.promoted, to=State.ACTIVE, marks={"active_since": now})
        for key in self.old:
            folder.move(path, key=key, to=State.RETIRED, marks={"retired_at": now})


def _turn(loaded: Iterable[Loaded], *, use: Use, alg: str | None, now: datetime, at_once: bool) -> _Turn | Refused:
    keys = [key for key in loaded if key.file.use is use and key.file.alg == alg]
    waiting = sorted((key for key in keys if key.file.state is State.NEXT), key=lambda key: key.file.created_at)
    refused = rules.may_promote(waiting[0].file if waiting else None, now=now, at_once=at_once)
    if refused is not None:
        return refused
    draft = _draft(use, alg, State.NEXT, now=now, demo=_is_demo(waiting[0].file))
    return _Turn(draft, waiting[0], tuple(key for key in keys if key.file.state is State.ACTIVE))


def _replacement(loaded: Iterable[Loaded], *, file: KeyFile, now: datetime) -> _Turn | Refused | None:
    """What must happen so that the folder is whole without this key."""
    match file.state:
        case State.ACTIVE:
            return _turn(loaded, use=file.use, alg=file.alg, now=now, at_once=True)
        case State.NEXT:
            return _Turn(_draft(file.use, file.alg, State.NEXT, now=now, demo=_is_demo(file)), None, ())
        case State.RETIRED:
            return None


def _draft(use: Use, alg: str | None, state: State, *, now: datetime, demo: bool) -> _Draft:
    named = str(alg).lower() if use is Use.SIGNING else str(use)
    kid = f"{DEMO_PREFIX if demo else ''}{named}-{secrets.token_hex(6)}"
    members: dict[str, Any]
    if use in ASYMMETRIC:
        members = jwk.generate(Alg(str(alg)))
    elif use in OPENING:
        members = jwe.generate(Wrap(str(alg)))
    else:
        members = {"kty": "oct", "k": secrets.token_urlsafe(KEY_BYTES)}
    marks = {"created_at": now.isoformat()} | ({"active_since": now.isoformat()} if state is State.ACTIVE else {})
    return _Draft(use, state, {**members, "kid": kid, **marks})


def _has(files: Iterable[KeyFile], *, use: Use, alg: str | None, state: State) -> bool:
    return any(file.use is use and file.alg == alg and file.state is state for file in files)


def _algs(loaded: Iterable[Loaded], *, use: Use, alg: Alg | None) -> list[str | None]:
    found = {key.file.alg for key in loaded if key.file.use is use and key.file.state is State.ACTIVE}
    return sorted((each for each in found if alg is None or each == alg), key=str)


def _is_demo(file: KeyFile) -> bool:
    return file.kid.startswith(DEMO_PREFIX)
