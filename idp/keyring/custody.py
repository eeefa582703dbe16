"""Changes of the keys' folder with their audit events: told first, then moved, so nothing moves untold (D10)."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.algorithms import Alg
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.keyring.rotation import Around, Rotated
from idp.keyring.rules import Use
from idp.vocabulary.refused import Refused


def create(
    path: Path, *, now: datetime, algs: Iterable[Alg], demo: bool, actor: str, origin: Origin
) -> tuple[str, ...] | Refused:
    """`rotation.create`, told."""
    return rotation.create(
        path, now=now, algs=algs, demo=demo, around=_told(Event.KEY_CREATED, now=now, actor=actor, origin=origin)
    )


def rotate(
    path: Path, *, now: datetime, use: Use, alg: Alg | None, at_once: bool, actor: str, origin: Origin
) -> Rotated | Refused:
    """`rotation.rotate`, told."""
    around = _told(Event.KEYS_ROTATED, now=now, actor=actor, origin=origin)
    return rotation.rotate(path, now=now, use=use, alg=alg, at_once=at_once, around=around)


def retire(path: Path, *, kid: str, now: datetime, still_sealed: bool, actor: str, origin: Origin) -> Rotated | Refused:
    """`rotation.retire`, told."""
    around = _told(Event.KEY_RETIRED, now=now, actor=actor, origin=origin)
    return rotation.retire(path, kid=kid, now=now, still_sealed=still_sealed, around=around)


def _told(what: Event, *, now: datetime, actor: str, origin: Origin) -> Around:
    @contextmanager
    def tell(planned: Rotated) -> Iterator[None]:
        details = {
            name: " ".join(kids)
            for name in ("created", "promoted", "retired", "pruned")
            if (kids := getattr(planned, name))
        }
        with writing() as tx:
            audit.append(tx, what, now=now, actor=actor, origin=origin, target_kind="key", details=details)
        yield

    def around(planned: Rotated) -> AbstractContextManager[None]:
        return tell(planned)

    return around
