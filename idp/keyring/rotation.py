"""Making keys and moving them on. Every step leaves a folder that readers can work with (RA-10).

What happened is returned; who calls it audits it.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from idp.foundation import jwk
from idp.foundation.algorithms import Alg
from idp.foundation.vault import KEY_BYTES
from idp.keyring import folder, rules
from idp.keyring.folder import Loaded
from idp.keyring.rules import DEMO_PREFIX, KeyFile, Reason, State, Use
from idp.vocabulary.refused import Refused

DEFAULT_ALGS: Final = (Alg.ES256, Alg.RS256)
ROTATING: Final = (Use.SIGNING, Use.VAULT)
"""An index key stays: what it digested cannot be read back, so it cannot be digested again."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """Which keys were made, began to be used, stopped, and left the folder."""

    created: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


def create(
    path: Path, *, now: datetime, algs: Iterable[Alg] = DEFAULT_ALGS, demo: bool = False
) -> tuple[str, ...] | Refused:
    """Fill what is missing: an active and a next key of each algorithm and of the vault, and an index key.

    What exists is never replaced, so this may run again; `Refused(ALREADY_THERE)` when nothing was missing.
    """
    made: list[str] = []
    with folder.writer(path):
        files = [key.file for key in folder.load(path)[1]]
        wanted: list[tuple[Use, str | None, State]]
        wanted = [(Use.SIGNING, alg, state) for alg in algs for state in (State.ACTIVE, State.NEXT)]
        wanted += [(Use.VAULT, None, State.ACTIVE), (Use.VAULT, None, State.NEXT), (Use.INDEX, None, State.ACTIVE)]
        for use, alg, state in wanted:
            if not _of(files, use=use, alg=alg, state=state):
                made.append(_make(path, use=use, alg=alg, state=state, now=now, demo=demo))
    return tuple(made) or Refused(Reason.ALREADY_THERE)


def rotate(
    path: Path, *, now: datetime, use: Use = Use.SIGNING, alg: Alg | None = None, at_once: bool = False
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
        for each in algs:
            refused = rules.may_promote(_next(loaded, use=use, alg=each), now=now, at_once=at_once)
            if refused is not None:
                return refused
        done = [_rotate_one(path, loaded, use=use, alg=each, now=now) for each in algs]
        pruned = _prune(path, now=now)
    return Rotated(
        tuple(one.created[0] for one in done),
        tuple(one.promoted[0] for one in done),
        tuple(kid for one in done for kid in one.retired),
        pruned,
    )


def retire(path: Path, *, kid: str, now: datetime, still_sealed: bool = False) -> Rotated | Refused:
    """Take a signing key away at once: it is no longer published, and what it signed is no longer accepted.

    For a key that leaked. An active one is replaced first; its `next` is then used without having been published
    for long. A vault key goes only when it is retired and `still_sealed` says that nothing needs it any more.
    """
    with folder.writer(path):
        loaded = folder.load(path)[1]
        key = next((key for key in loaded if key.file.kid == kid), None)
        if key is None:
            return Refused(Reason.UNKNOWN_KID)
        file = key.file
        if file.use is Use.INDEX or (file.use is Use.VAULT and (file.state is not State.RETIRED or still_sealed)):
            return Refused(Reason.STILL_NEEDED)
        done = Rotated()
        if file.state is State.ACTIVE:
            if _next(loaded, use=file.use, alg=file.alg) is None:
                return Refused(Reason.NO_NEXT)
            done = _rotate_one(path, loaded, use=file.use, alg=file.alg, now=now)
        elif file.state is State.NEXT:
            made = _make(path, use=file.use, alg=file.alg, state=State.NEXT, now=now, demo=_is_demo(file))
            done = Rotated(created=(made,))
        for state in State:
            folder.remove(path, file=KeyFile(file.use, state, kid, file.alg, file.created_at))
    return Rotated(done.created, done.promoted, (kid,), (kid,))


def listed(path: Path) -> tuple[KeyFile, ...]:
    """What the folder holds, without what is in it."""
    return tuple(key.file for key in folder.load(path)[1])


def _rotate_one(path: Path, loaded: Iterable[Loaded], *, use: Use, alg: str | None, now: datetime) -> Rotated:
    """The new `next` first, then the new active beside the old, then the old away: never a moment without."""
    keys = [key for key in loaded if key.file.use is use and key.file.alg == alg]
    promoted = min((key for key in keys if key.file.state is State.NEXT), key=lambda key: key.file.created_at)
    created = _make(path, use=use, alg=alg, state=State.NEXT, now=now, demo=_is_demo(promoted.file))
    folder.move(path, key=promoted, to=State.ACTIVE, marks={"active_since": now})
    old = [key for key in keys if key.file.state is State.ACTIVE]
    for key in old:
        folder.move(path, key=key, to=State.RETIRED, marks={"retired_at": now})
    return Rotated((created,), (promoted.file.kid,), tuple(key.file.kid for key in old))


def _prune(path: Path, *, now: datetime) -> tuple[str, ...]:
    """Signing keys that nothing accepted was signed with; vault keys stay until they are retired by name."""
    gone = [file for file in listed(path) if file.use is Use.SIGNING and not rules.published(file, now=now)]
    for file in gone:
        folder.remove(path, file=file)
    return tuple(file.kid for file in gone)


def _make(path: Path, *, use: Use, alg: str | None, state: State, now: datetime, demo: bool) -> str:
    kid = f"{DEMO_PREFIX if demo else ''}{(alg or use).lower()}-{secrets.token_hex(6)}"
    members: dict[str, Any]
    if use is Use.SIGNING:
        members = jwk.generate(Alg(str(alg)))
    else:
        members = {"kty": "oct", "k": secrets.token_urlsafe(KEY_BYTES)}
    marks = {"created_at": now.isoformat()} | ({"active_since": now.isoformat()} if state is State.ACTIVE else {})
    folder.write(path, use=use, state=state, members={**members, "kid": kid, **marks})
    return kid


def _of(files: Iterable[KeyFile], *, use: Use, alg: str | None, state: State) -> bool:
    return any(file.use is use and file.alg == alg and file.state is state for file in files)


def _algs(loaded: Iterable[Loaded], *, use: Use, alg: Alg | None) -> list[str | None]:
    found = {key.file.alg for key in loaded if key.file.use is use and key.file.state is State.ACTIVE}
    return sorted((each for each in found if alg is None or each == alg), key=str)


def _next(loaded: Iterable[Loaded], *, use: Use, alg: str | None) -> KeyFile | None:
    waiting = [key.file for key in loaded if (key.file.use, key.file.alg, key.file.state) == (use, alg, State.NEXT)]
    return min(waiting, key=lambda file: file.created_at, default=None)


def _is_demo(file: KeyFile) -> bool:
    return file.kid.startswith(DEMO_PREFIX)
