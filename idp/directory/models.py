"""Providers, practices, trading partners, engagements and letters (MODEL §1–§2)."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id

NAME_TEXT: Final = String(200).with_variant(String(200, collation="C"), "postgresql")
WORD_TEXT: Final = String(64).with_variant(String(64, collation="C"), "postgresql")
NUMBER_TEXT: Final = String(9).with_variant(String(9, collation="C"), "postgresql")
"""Sorted by code point on both databases, so that lists and prefixes come out the same."""
SOURCE_TEXT: Final = String(40).with_variant(String(8), "sqlite")
"""`nppes`, `fhir`, or `fhir:` with the registry whose directory it is; SQLite counts no letters, and need not write the table anew."""


class Practice(Model):
    """All that shares one TIN, in every registry. A number that passes to another owner makes a new practice."""

    __tablename__ = "practice"
    __table_args__ = (
        Index(
            "uq_practice_tin_index_current",
            "tin_index",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tin_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    tin_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    tin_type: Mapped[str] = mapped_column(String(3))
    tin_last4: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(200))
    """The group's legal name, else its practitioner's."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    passes_on: Mapped[date | None] = mapped_column(index=True)
    """From which day on its number is another owner's, as far as the records' dates say: read, then made durable."""


class FormerHolder(Model):
    """A record that was in force in a practice, and ended or moved away: whose number it was (MODEL §10)."""

    __tablename__ = "former_holder"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practice.id"), index=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    npi: Mapped[str] = mapped_column(String(10))
    name_key: Mapped[str] = mapped_column(NAME_TEXT)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    went_to: Mapped[UUID | None] = mapped_column(ForeignKey("practice.id"))
    """The practice that it moved to; none where it ended."""


class Provider(Model):
    """One provider record of one registry: a practitioner or a group, with the payer's own number."""

    __tablename__ = "provider"
    __table_args__ = (
        UniqueConstraint("registry", "provider_id"),
        Index("ix_provider_practice_registry", "practice_id", "registry", "provider_id"),
        Index("ix_provider_registry_tin_index", "registry", "tin_index", "provider_id"),
        Index("ix_provider_npi_registry", "npi", "registry", "provider_id"),
        Index(
            "ix_provider_turns",
            "turns_on",
            "id",
            sqlite_where=text("turns_on IS NOT NULL"),
            postgresql_where=text("turns_on IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    provider_id: Mapped[str] = mapped_column(String(9))
    provider_type: Mapped[str] = mapped_column(String(16))
    """`practitioner` or `group`."""
    npi: Mapped[str] = mapped_column(String(10))
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practice.id"))
    """Of `group_tin` where there is one, else of the provider's own TIN."""
    tin_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    tin_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    """The provider's own TIN, which matching accepts too."""
    tin_type: Mapped[str] = mapped_column(String(3))
    legal_name: Mapped[str] = mapped_column(String(200))
    first_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str | None] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(NAME_TEXT)
    """`legal_name` folded, by `idp.directory.rules`: the order of lists."""
    zip_codes: Mapped[list[str]] = mapped_column(Json)
    """`ZIP5` or `ZIP5-4`, one to three."""
    state: Mapped[str] = mapped_column(String(2))
    programs: Mapped[str] = mapped_column(String(16))
    """`medicaid`, `medicare` or `both`."""
    status: Mapped[str] = mapped_column(String(16))
    """`active` or `terminated`, as the file says; `in_force(now)` decides."""
    effective_date: Mapped[date]
    end_date: Mapped[date | None]
    tin_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the roster moved it to another TIN; what was granted before reads `suspended` (MODEL §10)."""
    joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it came to its practice, or a file put it in force there; none of old: as early as that is known."""
    npi_deactivated_on: Mapped[date | None]
    """From when on NPPES calls its NPI deactivated; such a record is not in force."""
    turns_on: Mapped[date | None]
    """The next day that is known of on which it begins or ceases to be in force, until those who hang on it are told."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProviderWord(Model):
    """One folded word of a provider's name, found by its beginning."""

    __tablename__ = "provider_word"
    __table_args__ = (
        Index("ix_provider_word_found", "registry", "word", "name_key", "number", "state", "program", "provider_id"),
    )
    """A search within a state or a program, or for a second word, reads nothing but the index until it has found somebody."""

    registry_name: Mapped[str] = mapped_column("registry", String(32), primary_key=True)
    word: Mapped[str] = mapped_column(WORD_TEXT, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), primary_key=True, index=True)
    name_key: Mapped[str] = mapped_column(NAME_TEXT, server_default="")
    """The provider's: a page of a common word is read off the index in order, and its other words with it."""
    number: Mapped[str] = mapped_column(NUMBER_TEXT, server_default="")
    """The payer's number of the record: of equal names the lower comes first."""
    state: Mapped[str] = mapped_column(String(2), server_default="")
    program: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    """The place of the record's `programs` in `rules.NEIGHBOURS`. Where it is not known, that of `both`: who is found in either
    program is compared with the record."""


class NameWord(Model):
    """A word that some name has: where a search finds nothing, the nearest of these may have been meant."""

    __tablename__ = "name_word"
    __table_args__ = (
        Index(
            "ix_name_word_trigrams",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
            postgresql_with={"fastupdate": "off"},
        ),
        Index(
            "ix_name_word_common",
            "scope",
            "word",
            sqlite_where=text("names > 0"),
            postgresql_where=text("names > 0"),
        ),
    )

    scope: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The registry, or `*` for NPI records."""
    word: Mapped[str] = mapped_column(WORD_TEXT, primary_key=True)
    names: Mapped[int] = mapped_column(server_default="0")
    """About how many names have it, counted as an import ends; none where it is not common."""


class NpiRecord(Model):
    """What NPPES or a FHIR directory says of one NPI: for search and deactivation; it never matches or grants (MODEL §2)."""

    __tablename__ = "npi_record"

    npi: Mapped[str] = mapped_column(String(10), primary_key=True)
    source: Mapped[str] = mapped_column(SOURCE_TEXT, primary_key=True)
    entity: Mapped[str | None] = mapped_column(String(12))
    """`individual` or `organization`; none where all that was ever told is that the NPI is deactivated."""
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(NAME_TEXT)
    state: Mapped[str] = mapped_column(String(2))
    """Of the practice location; empty outside of the United States."""
    zip_code: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(12))
    """`active`, `deactivated`, or `left`: no longer in a full file."""
    enumerated_on: Mapped[date | None]
    updated_on: Mapped[date | None]
    """As the source says; an older line changes nothing."""
    deactivated_on: Mapped[date | None]
    reactivated_on: Mapped[date | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Of the line's values: whether the same line says anything new."""
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When a line last said something new of it, or it left; the same line again does not move it."""


class NpiWord(Model):
    """One folded word of an NPI record's name, in the order in which a search shows it."""

    __tablename__ = "npi_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[str] = mapped_column(WORD_TEXT, primary_key=True)
    name_key: Mapped[str] = mapped_column(NAME_TEXT, primary_key=True)
    npi: Mapped[str] = mapped_column(String(10), primary_key=True)
    source: Mapped[str] = mapped_column(SOURCE_TEXT, primary_key=True)
    state: Mapped[str] = mapped_column(String(2), primary_key=True)
    """In the key, so that a search within a state reads nothing but the index."""


class TradingPartner(Model):
    """Billing company, vendor or clearing house that acts for practices."""

    __tablename__ = "trading_partner"
    __table_args__ = (UniqueConstraint("registry", "trading_partner_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    trading_partner_id: Mapped[str] = mapped_column(String(15))
    qualifier: Mapped[str] = mapped_column(String(2))
    """X12 ISA05: `ZZ`, `30` or `01`."""
    name: Mapped[str] = mapped_column(String(200))
    zip_code: Mapped[str] = mapped_column(String(10))
    email_domain: Mapped[str | None] = mapped_column(String(253))
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16), default="active")
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Engagement(Model):
    """A trading partner works for a practice: by the roster or by the practice's manager."""

    __tablename__ = "engagement"
    __table_args__ = (UniqueConstraint("trading_partner_id", "practice_id", "source"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    trading_partner_id: Mapped[UUID] = mapped_column(ForeignKey("trading_partner.id"), index=True)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practice.id"), index=True)
    source: Mapped[str] = mapped_column(String(16))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    levels_cap: Mapped[list[str] | None] = mapped_column(Json)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    """The practice's manager who ended it: no later roster begins it anew."""


class PinLetter(Model):
    """A letter with a PIN for one provider; the PIN itself is an artefact, found by `artefact_id`."""

    __tablename__ = "pin_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    artefact_id: Mapped[UUID] = mapped_column(unique=True)
    issued_on: Mapped[date]
    expires_on: Mapped[date]
    used_on: Mapped[date | None]
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a newer letter replaced it, or too many wrong PINs ended it (EN-01, EN-02)."""
    batch_id: Mapped[UUID | None] = mapped_column(index=True)
    """Of letters issued here: whose files were printed and committed together."""


class ImportRun(Model):
    """One run of `idp directory import`: what was read, what changed, what was refused."""

    __tablename__ = "import_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    registry_name: Mapped[str] = mapped_column("registry", String(32), index=True)
    format: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(255))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    """`imports.run.Outcome`; none while it runs, and where it was killed."""
    stopped_line: Mapped[int | None]
    """The line of the file at which it came to an early end."""
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


AT: Final = "@"


class ImportReject(Model):
    """A refused line of a run, for the console's download; never more of one run than `KEPT_REJECTS`."""

    __tablename__ = "import_reject"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """Which refusal of the run it is: many entries of a bundle may stand on one line."""
    line: Mapped[int]
    key: Mapped[str] = mapped_column(String(32))
    reasons: Mapped[list[str]] = mapped_column(Json)
    """Why; behind them, after `AT`, which entry of a bundle it was."""
