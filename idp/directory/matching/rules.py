"""What was typed against what the directory holds: a match, a choice, or a reason why not."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Final, Self, TypeVar

from idp.directory.rules import PartnerFacts, PracticeFacts, ProviderFacts, ProviderType, fold, in_force, zip_matches
from idp.vocabulary.identifiers import Malformed, Npi, ProviderId, Tin, TradingPartnerId, ZipCode
from idp.vocabulary.refused import Refused

Value = TypeVar("Value")

FINDERS: Final = ("provider_id", "npi", "tin")
"""By the first of these that is asked the records are found; the other fields are compared."""
LONGEST_NAME: Final = 200


class Reason(StrEnum):
    """Why there is no match, in the order in which the nearest record is blamed; nobody but the audit is told."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    OTHER_TYPE = "other_type"
    RETIRED = "practice_retired"
    NOT_YET = "not_yet_in_force"
    ENDED = "no_longer_in_force"
    DEACTIVATED = "npi_deactivated"
    TIN = "tin_differs"
    NPI = "npi_differs"
    ZIP = "zip_differs"
    NAME = "name_differs"


class _Asked:
    """A claim about a provider record, its members as typed."""

    def __post_init__(self) -> None:
        asked = [each.name for each in fields(self) if getattr(self, each.name) is not None]  # type: ignore[arg-type]
        if not is_enough(asked):
            raise ValueError(f"a claim needs one of {', '.join(FINDERS)} and another field to compare")

    @classmethod
    def of(cls, asked: Collection[str], typed: Mapping[str, str]) -> Self:
        """The claim of a manifest that asks these fields; one that the form did not bring counts as left empty."""
        return cls(**{name: typed.get(name, "") for name in asked})


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerClaim(_Asked):
    """A practitioner's record (C6). `None`: not asked, so not compared."""

    first_name: str | None = None
    last_name: str | None = None
    tin: str | None = field(default=None, repr=False)
    provider_id: str | None = None
    npi: str | None = None
    zip_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupClaim(_Asked):
    """A group's record, which stands for its practice (C6, C7). `None`: not asked, so not compared."""

    group_name: str | None = None
    tin: str | None = field(default=None, repr=False)
    provider_id: str | None = None
    npi: str | None = None
    zip_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeClaim:
    """A practice by its TIN and a ZIP code of any of its records (E0)."""

    tin: str = field(repr=False)
    zip_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerClaim:
    """A trading partner by the payer's number and its ZIP code (A2)."""

    trading_partner_id: str
    zip_code: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider record with all that may be compared."""

    provider: ProviderFacts
    practice: PracticeFacts
    first_name: str | None
    last_name: str | None
    own_tin: bytes = field(repr=False)
    """The blind index of the record's own TIN; `group_tin` is that of its practice. Either is accepted (MODEL §2)."""
    group_tin: bytes = field(repr=False)
    zip_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim about a provider record, understood. `None`: not asked."""

    provider_type: ProviderType | None
    provider_id: ProviderId | None = None
    npi: Npi | None = None
    tin: Tin | None = None
    zip_code: ZipCode | None = None
    first_name: str | None = None
    last_name: str | None = None
    group_name: str | None = None
    """Names are folded."""


@dataclass(frozen=True, slots=True)
class ProviderMatch:
    """This provider record."""

    provider: ProviderFacts


@dataclass(frozen=True, slots=True)
class PracticeMatch:
    """This practice: all its providers, those who join later included (C7). `records` are those that the claim met."""

    practice: PracticeFacts
    records: tuple[ProviderFacts, ...]


@dataclass(frozen=True, slots=True)
class PartnerMatch:
    """This trading partner."""

    partner: PartnerFacts


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several records meet the claim: the person chooses one, by the payer's number."""

    choices: tuple[ProviderFacts, ...]


def is_enough(asked: Collection[str]) -> bool:
    """Whether a claim of these fields can be looked up and proves something: a manifest must not ask less."""
    return len(asked) > 1 and any(name in FINDERS for name in asked)


def understand(claim: PractitionerClaim | GroupClaim | PracticeClaim) -> Wanted | None:
    """What is wanted, or `None` where something typed cannot be anybody's; leading zeros are never invented."""
    try:
        numbers = {
            "provider_id": _given(claim, "provider_id", ProviderId.parse),
            "npi": _given(claim, "npi", Npi.parse),
            "tin": _given(claim, "tin", Tin.parse),
            "zip_code": _given(claim, "zip_code", ZipCode.parse),
        }
        names = {name: _given(claim, name, _folded) for name in ("first_name", "last_name", "group_name")}
    except Malformed:
        return None
    return Wanted(_TYPES.get(type(claim)), **numbers, **names)  # type: ignore[arg-type]


def decide_provider(
    wanted: Wanted | None, candidates: Sequence[Candidate], *, tin: bytes, on: date
) -> ProviderMatch | Ambiguous | Refused:
    """One practitioner's record in force on the day; `tin` is the blind index of the TIN that is wanted."""
    met = _met(wanted, candidates, tin=tin, on=on)
    if isinstance(met, Refused):
        return met
    return ProviderMatch(met[0].provider) if len(met) == 1 else _choice(met)


def decide_practice(
    wanted: Wanted | None, candidates: Sequence[Candidate], *, tin: bytes, on: date
) -> PracticeMatch | Ambiguous | Refused:
    """The practice of the records in force on the day, which may be several as long as their practice is one."""
    met = _met(wanted, candidates, tin=tin, on=on)
    if isinstance(met, Refused):
        return met
    if len({each.practice.id for each in met}) > 1:
        return _choice(met)
    return PracticeMatch(met[0].practice, tuple(each.provider for each in met))


def understand_partner(claim: PartnerClaim) -> tuple[TradingPartnerId, ZipCode] | None:
    """The number and the ZIP code that are wanted, or `None` where they cannot be anybody's."""
    try:
        return TradingPartnerId.parse(claim.trading_partner_id.strip()), ZipCode.parse(claim.zip_code.strip())
    except Malformed:
        return None


def decide_partner(
    wanted: tuple[TradingPartnerId, ZipCode] | None, found: PartnerFacts | None
) -> PartnerMatch | Refused:
    """The trading partner found by its number, if on the roster now; ZIP+4 matches its ZIP5 (A2)."""
    if wanted is None:
        return Refused(Reason.MALFORMED)
    if found is None:
        return Refused(Reason.UNKNOWN)
    if not found.in_force:
        return Refused(Reason.ENDED)
    return PartnerMatch(found) if zip_matches(wanted[1].zip5, (found.zip_code,)) else Refused(Reason.ZIP)


def why_not(candidate: Candidate, wanted: Wanted, *, tin: bytes, on: date) -> tuple[Reason, ...]:
    """Everything in which a record differs from what is wanted; nothing: it matches."""
    record = candidate.provider
    judged = (
        (Reason.OTHER_TYPE, wanted.provider_type in (None, record.provider_type)),
        (Reason.RETIRED, candidate.practice.has_number(on)),
        (Reason.NOT_YET, record.effective_date <= on),
        (Reason.ENDED, record.effective_date > on or in_force(record, on)),
        (Reason.DEACTIVATED, not record.npi_is_off(on)),
        (Reason.TIN, wanted.tin is None or tin in (candidate.own_tin, candidate.group_tin)),
        (Reason.NPI, wanted.npi in (None, record.npi)),
        (Reason.ZIP, wanted.zip_code is None or zip_matches(wanted.zip_code.zip5, candidate.zip_codes)),
        (Reason.NAME, _same_names(candidate, wanted)),
    )
    return tuple(reason for reason, holds in judged if not holds)


def _met(wanted: Wanted | None, candidates: Iterable[Candidate], *, tin: bytes, on: date) -> list[Candidate] | Refused:
    """The records that match, else the first reason against the nearest one."""
    if wanted is None:
        return Refused(Reason.MALFORMED)
    met: list[Candidate] = []
    nearest: tuple[Reason, ...] | None = None
    for candidate in candidates:
        against = why_not(candidate, wanted, tin=tin, on=on)
        if not against:
            met.append(candidate)
        elif nearest is None or len(against) < len(nearest):
            nearest = against
    if met:
        return met
    return Refused(Reason.UNKNOWN if nearest is None else nearest[0])


def _choice(met: Sequence[Candidate]) -> Ambiguous:
    return Ambiguous(tuple(sorted((each.provider for each in met), key=lambda record: record.provider_id)))


def _same_names(candidate: Candidate, wanted: Wanted) -> bool:
    return (
        (wanted.first_name is None or wanted.first_name == fold(candidate.first_name or ""))
        and (wanted.last_name is None or wanted.last_name == fold(candidate.last_name or ""))
        and (wanted.group_name is None or wanted.group_name == fold(candidate.provider.name))
    )


def _given(claim: object, name: str, parse: Callable[[str], Value]) -> Value | None:
    typed: str | None = getattr(claim, name, None)
    return None if typed is None else parse(typed.strip())


def _folded(typed: str) -> str:
    folded = fold(typed) if len(typed) <= LONGEST_NAME else ""
    if not folded:
        raise Malformed("A name has letters, and not too many of them.")
    return folded


_TYPES: Final = {PractitionerClaim: ProviderType.PRACTITIONER, GroupClaim: ProviderType.GROUP}
