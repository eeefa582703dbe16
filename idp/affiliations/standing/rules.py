"""Who could act at some moment of a day, from what the audit says of each affiliation. Pure; `now` is an argument.

What a record says of a person is what the live rule (`affiliations.rules.blocked`) is asked with: there is no second one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from idp.affiliations.rules import Held, PortalTerms, Target, blocked, levels_at
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence

_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the access rests on: whose word, where, when."""

    kind: Evidence
    portal: str
    at: datetime
    by: str | None
    from_registry: str | None = None
    """Brought from this other registry (MODEL §1)."""


@dataclass(frozen=True, slots=True)
class Record:
    """How one affiliation stood after one transaction."""

    affiliation_id: UUID
    subject_id: str
    registry: str
    kind: TargetKind
    target_id: UUID
    practice_id: UUID | None
    status: AffiliationStatus
    disabled_by: str | None
    account_manager: bool
    made_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    activated_at: datetime | None
    proofs: tuple[Proof, ...]
    levels: Mapping[str, tuple[tuple[str, str | None], ...]]
    """By portal: each level, and who gave it."""
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of UTC, or what has passed of it."""

    begins: datetime
    ends: datetime
    """The next midnight, which is not part of it; while the day lasts it is now, which is."""
    over: bool

    @classmethod
    def of(cls, day: date, *, now: datetime) -> "Day":
        begins = datetime.combine(day, time(), UTC)
        end = begins + _A_DAY
        return cls(begins, end if now >= end else max(begins, now), now >= end)

    def has_seen(self, moment: datetime) -> bool:
        """Whether it had happened by the end of the day."""
        return moment < self.ends or (moment == self.ends and not self.over)


@dataclass(frozen=True, slots=True)
class Lets:
    """A portal where the person could act, with the levels they held there and who gave them."""

    portal: str
    levels: tuple[tuple[str, str | None], ...]

    @property
    def by_giver(self) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
        """The same, a giver once."""
        givers = dict.fromkeys(by for _, by in self.levels)
        return tuple((giver, tuple(level for level, by in self.levels if by == giver)) for giver in givers)


@dataclass(frozen=True, slots=True)
class Could:
    """One person's access on the day."""

    record: Record
    at: tuple[Lets, ...]
    until: datetime | None
    """When it ended on that day; `None`: it still stood when the day was over (or stands now)."""
    used_at: datetime | None


def read(details: Mapping[str, Any], *, at: datetime, actor: str, subject_id: str, kind: str, target: str) -> Record:
    """An event's details as they were written."""
    practice = details["practice"]
    return Record(
        affiliation_id=UUID(details["affiliation"]),
        subject_id=subject_id,
        registry=details["registry"],
        kind=TargetKind(kind),
        target_id=UUID(target),
        practice_id=UUID(practice) if practice else None,
        status=AffiliationStatus(details["status"]),
        disabled_by=details["disabled_by"],
        account_manager=details["account_manager"],
        made_at=_moment(details["made_at"]) or at,
        starts_at=_moment(details["starts_at"]) or at,
        ends_at=_moment(details["ends_at"]),
        activated_at=_moment(details["activated_at"]),
        proofs=tuple(
            Proof(
                Evidence(each["kind"]), each["portal"], _moment(each["at"]) or at, each["by"], each.get("from_registry")
            )
            for each in details["evidence"]
        ),
        levels={
            portal: tuple((level, by) for level, by in pairs) for portal, pairs in sorted(details["levels"].items())
        },
        at=at,
        actor=actor,
    )


def of_the_day(records: Iterable[Record], day: Day) -> tuple[Record, ...]:
    """Those of one affiliation that held at some moment of the day, the oldest first; `records` come in order."""
    seen = [record for record in records if day.has_seen(record.at)]
    before = [record for record in seen if record.at <= day.begins]
    return (*before[-1:], *(record for record in seen if record.at > day.begins))


def was_enabled(switches: Sequence[tuple[datetime, bool]], day: Day, *, is_now: bool) -> bool:
    """Whether the payer let the person sign in when the day was over; `switches` are in order, to `True` and `False`."""
    before = [to for at, to in switches if day.has_seen(at)]
    after = [to for at, to in switches if not day.has_seen(at)]
    if before:
        return before[-1]
    return not after[0] if after else is_now


def could(
    records: Sequence[Record],
    day: Day,
    *,
    target: Target,
    terms: Iterable[PortalTerms],
    used_at: datetime | None,
    dormancy: timedelta,
) -> Could | None:
    """Where the person could act on the day by this affiliation: as it held last, and until when."""
    every, last = tuple(terms), day.ends
    for record in reversed(records):
        held, first = _held(record, target, used_at=used_at), max(day.begins, record.at)
        turns = _turns(held, first, last, dormancy=dormancy)
        still = None if record is records[-1] else last
        for moment, until in ((last, still), *((turn, turn) for turn in turns), (first, turns[-1] if turns else last)):
            lets = _lets(record, held, every, moment=moment, dormancy=dormancy)
            if lets and (first < last or still is None):
                return Could(record, lets, until, used_at)
        last = record.at
    return None


def _turns(held: Held, first: datetime, last: datetime, *, dormancy: timedelta) -> list[datetime]:
    """Moments within a stretch at which dates alone change what may be done, the latest first."""
    idle = held.used_at + dormancy if held.used_at is not None else None
    found = {turn for turn in (held.starts_at, held.ends_at, idle) if turn is not None and first < turn < last}
    return sorted(found, reverse=True)


def _lets(
    record: Record, held: Held, terms: Iterable[PortalTerms], *, moment: datetime, dormancy: timedelta
) -> tuple[Lets, ...]:
    return tuple(
        Lets(
            each.client_id, record.levels.get(each.client_id) or tuple((level, None) for level in levels_at(held, each))
        )
        for each in terms
        if blocked(held, terms=each, now=moment, dormancy=dormancy) is None
    )


def _held(record: Record, target: Target, *, used_at: datetime | None) -> Held:
    uses = [moment for moment in (record.activated_at, used_at) if moment is not None]
    return Held(
        id=record.affiliation_id,
        registry=record.registry,
        target=target,
        status=record.status,
        starts_at=record.starts_at,
        epoch=0,
        ends_at=record.ends_at,
        disabled_by=record.disabled_by,
        used_at=max(uses, default=None),
        last_used_at=used_at,
        evidence=tuple(proof.kind for proof in record.proofs if proof.from_registry is None),
        brought=tuple((proof.from_registry, proof.kind) for proof in record.proofs if proof.from_registry is not None),
        levels={portal: tuple(level for level, _ in pairs) for portal, pairs in record.levels.items()},
        account_manager=record.account_manager,
        created_at=record.made_at,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
