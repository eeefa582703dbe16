"""`clients/demo/people.toml` as data: who there is, with which password, acting for whom."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.secret import Secret
from idp.vocabulary.staff import StaffRole

EVERY_LEVEL = "all"


class WrongPeople(ValueError):
    """The file cannot be loaded; the message says where, and quotes no password."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DemoAffiliation(_Part):
    """One affiliation; `id` is a provider ID, a TIN or a trading partner ID, as `kind` says."""

    registry: str
    kind: TargetKind
    id: str
    evidence: dict[str, Evidence] = Field(min_length=1)
    """By portal."""
    levels: dict[str, tuple[str, ...]] = {}
    """By portal; `all` is its whole catalogue."""
    status: AffiliationStatus = AffiliationStatus.ACTIVE
    disabled_by: Literal["manager", "payer", "dormant"] | None = None
    account_manager: bool = False
    starts: date | None = None
    ends: date | None = None
    last_used_days_ago: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_storable(self) -> Self:
        if self.status is AffiliationStatus.SUSPENDED:
            raise ValueError("suspended is read from the roster, never stored")
        if (self.status is AffiliationStatus.DISABLED) != (self.disabled_by is not None):
            raise ValueError("a disabled affiliation, and only that, says by whom")
        return self

    def last_used(self, now: datetime) -> datetime | None:
        """`None` leaves it unused: its activation counts."""
        return None if self.last_used_days_ago is None else now - timedelta(days=self.last_used_days_ago)


class DemoSiteKey(_Part):
    """The picture and phrase that a person chose at an earlier visit."""

    picture: str
    phrase: str


class DemoPerson(_Part):
    """One person. `shows` is what the demo's card says about them."""

    user_id: str
    email: str
    password: str = Field(min_length=8, repr=False)
    totp_secret: str | None = Field(default=None, pattern=r"^[A-Z2-7]{32}$", repr=False)
    """In base32, for an authenticator app; `/dev/codes` shows the current code."""
    given_name: str
    family_name: str
    phone: str | None = None
    locale: Literal["en", "es"] = "en"
    zoneinfo: str = "America/Chicago"
    shows: str
    email_proven: bool = True
    disabled: str | None = None
    must_change: bool = False
    agreements_accepted: bool = True
    """Whether the portals' banners, terms and agreements were accepted at an earlier visit, so that none is shown."""
    site_key: DemoSiteKey | None = None
    profile: dict[str, Any] = {}
    staff: tuple[StaffRole, ...] = ()
    """Roles in the payer's console; who has one signs in with `totp_secret` too."""
    affiliations: tuple[DemoAffiliation, ...] = ()

    @model_validator(mode="after")
    def _staff_hold_an_app(self) -> Self:
        if self.staff and self.totp_secret is None:
            raise ValueError("staff need a totp_secret")
        return self

    @property
    def secret(self) -> Secret:
        return Secret(self.password)


class _File(_Part):
    people: tuple[DemoPerson, ...] = Field(min_length=1)


def read(path: Path) -> tuple[DemoPerson, ...]:
    """Everybody in the file, in its order; `WrongPeople` with every fault at once."""
    try:
        people = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).people
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongPeople(f"{path.name}: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise WrongPeople(f"{path.name}: {faults}") from None
    for member in ("user_id", "email", "password"):
        values = [str(getattr(person, member)).casefold() for person in people]
        if len(set(values)) != len(values):
            raise WrongPeople(f"{path.name}: two people have the same {member}")
    return people


def levels_of(affiliation: DemoAffiliation, *, catalogues: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The levels by portal, `all` resolved; `WrongPeople` for one that the portal's catalogue has not."""
    told: dict[str, tuple[str, ...]] = {}
    for portal, keys in affiliation.levels.items():
        catalogue = catalogues.get(portal)
        if catalogue is None:
            raise WrongPeople(f"there is no portal {portal}")
        told[portal] = catalogue if EVERY_LEVEL in keys else keys
        if unknown := set(told[portal]) - set(catalogue):
            raise WrongPeople(f"{portal} has no access level {', '.join(sorted(unknown))}")
    return told


def midnight(day: date | None) -> datetime | None:
    """The first moment of a day, UTC."""
    return None if day is None else datetime.combine(day, time(), UTC)
