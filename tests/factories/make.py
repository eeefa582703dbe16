"""One method for each kind of row; every argument has an invented default, every row is committed and returned."""

import itertools
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.affiliations.searching import keeping
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.totp import service as totp
from idp.authenticators.totp.models import TotpSecret
from idp.consent.models import Grant
from idp.directory import service as directory
from idp.directory.models import Engagement, Practice, Provider, TradingPartner
from idp.directory.rules import name_key
from idp.foundation import epochs, house, vault
from idp.foundation.artefacts import digest_of
from idp.foundation.database import db, see_as
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.relying_parties import stored
from idp.relying_parties.models import Client, ClientSecret
from idp.sessions.models import BrowserSession, Participant
from idp.settings import Settings
from idp.subjects import rules as people
from idp.subjects.models import Subject
from idp.vocabulary.assurance import GAINS, Factor
from idp.vocabulary.identifiers import Tin, TinType
from idp.vocabulary.secret import Secret
from tests.factories.manifests import manifest

PASSWORD = "kettle-orbit-walnut-42"
CLIENT_SECRET = "CNRY-client-secret-not-for-real-use"

Row = TypeVar("Row")


class Make:
    """Makes rows as of `now`."""

    def __init__(self, *, now: datetime, settings: Settings) -> None:
        self.now, self._settings = now, settings
        self._numbers = itertools.count(1)

    def _save(self, row: Row, *more: object) -> Row:
        with Session(db.engine.execution_options(credence_write=True), expire_on_commit=False) as tx, tx.begin():
            see_as(tx, everything=True)
            tx.add(row)
            tx.flush()
            tx.add_all(more)
            if isinstance(row, Affiliation):
                keeping.refresh(tx, subject_id=row.subject_id)
        return row

    def subject(self, user_id: str | None = None, *, password: str | None = PASSWORD, **changed: Any) -> Subject:
        """A proven, active person who can sign in with `PASSWORD`; `password=None` makes none."""
        user_id = user_id or f"person.{next(self._numbers)}"
        email = changed.pop("email", f"{user_id}@mail.test")
        values: dict[str, Any] = {
            "id": people.new_subject_id(),
            "status": "active",
            "user_id": user_id,
            "user_id_key": people.user_id_key(user_id),
            "email": email,
            "email_key": email and email.casefold(),
            "email_verified_at": self.now,
            "given_name": "Rosa",
            "family_name": "Delgado",
            "locale": "en",
            "zoneinfo": "America/Chicago",
            "created_at": self.now - timedelta(days=30),
            "updated_at": self.now - timedelta(days=30),
        }
        subject = self._save(Subject(**(values | changed)))
        if password is not None:
            digest = house.get(Kdf).digest(Secret(password))
            self._save(PasswordCredential(subject_id=subject.id, digest=digest, satisfies=[], changed_at=self.now))
        return subject

    def totp(self, subject: Subject, *, name: str = "Work phone", **changed: Any) -> tuple[HeldFactor, str]:
        """An authenticator app of the person, and its secret (`code_of` of tests.factories.codes makes its codes)."""
        row, secret = self.factor(subject, Factor.TOTP, name=name, **changed), pyotp.random_base32()
        keys, place = house.get(Keyring).vault, totp.place_of(row.id)
        self._save(
            TotpSecret(
                factor_id=row.id, secret_sealed=vault.seal(secret.encode(), keys=keys, context=place), last_step=0
            )
        )
        return row, secret

    def factor(self, subject: Subject, kind: Factor, **changed: Any) -> HeldFactor:
        """A factor by the table, without what its kind's own table keeps."""
        gain = GAINS[kind]
        values: dict[str, Any] = {
            "subject_id": subject.id, "kind": kind.value, "name": kind.value, "created_at": self.now - timedelta(days=5),
            "gives": sorted(gain.acr), "amr": list(gain.amr),
        }  # fmt: skip
        return self._save(HeldFactor(**(values | changed)))

    def practice(self, tin: str | None = None, *, tin_type: TinType = TinType.EIN, **changed: Any) -> Practice:
        """All that shares `tin`."""
        keyring, identity = house.get(Keyring), uuid4()
        parsed = Tin.parse(tin or f"{980000000 + next(self._numbers)}")
        sealed = directory.seal_tin(parsed, keys=keyring.vault, context=directory.practice_context(identity))
        values: dict[str, Any] = {
            "id": identity,
            "tin_sealed": sealed,
            "tin_index": directory.tin_index(parsed, key=keyring.index),
            "tin_type": tin_type.value,
            "tin_last4": parsed[-4:],
            "name": "Juniper Ridge Clinic",
            "created_at": self.now,
        }
        return self._save(Practice(**(values | changed)))

    def provider(
        self,
        provider_id: str | None = None,
        *,
        practice: Practice | None = None,
        tin: str | None = None,
        **changed: Any,
    ) -> Provider:
        """A practitioner's record in registry `heartland`, in force, of a practice of its own unless one is given."""
        number, identity, keyring = next(self._numbers), uuid4(), house.get(Keyring)
        tin = tin or f"{970000000 + number}"
        practice = practice or self.practice(tin)
        parsed = Tin.parse(tin)
        sealed = directory.seal_tin(parsed, keys=keyring.vault, context=directory.provider_context(identity))
        values: dict[str, Any] = {
            "id": identity,
            "registry_name": "heartland",
            "provider_id": provider_id or f"{100000000 + number}",
            "provider_type": "practitioner",
            "npi": "1234567893",
            "practice_id": practice.id,
            "tin_sealed": sealed,
            "tin_index": directory.tin_index(parsed, key=keyring.index),
            "tin_type": "EIN",
            "legal_name": "DELGADO, ROSA",
            "first_name": "ROSA",
            "last_name": "DELGADO",
            "name_key": name_key("DELGADO, ROSA"),
            "zip_codes": ["65801"],
            "state": "MO",
            "programs": "both",
            "status": "active",
            "effective_date": date(2020, 1, 1),
            "updated_at": self.now,
        }
        return self._save(Provider(**(values | changed)))

    def group(self, provider_id: str | None = None, *, name: str = "JUNIPER RIDGE CLINIC", **changed: Any) -> Provider:
        """A group's record."""
        shape = {"provider_type": "group", "legal_name": name, "first_name": None, "last_name": None}
        return self.provider(provider_id, **(shape | {"name_key": name_key(name)} | changed))

    def trading_partner(self, trading_partner_id: str | None = None, **changed: Any) -> TradingPartner:
        """A billing company in registry `ozark`."""
        values: dict[str, Any] = {
            "id": uuid4(),
            "registry_name": "ozark",
            "trading_partner_id": trading_partner_id or f"TP{next(self._numbers):06}",
            "qualifier": "ZZ",
            "name": "Lantern Billing",
            "zip_code": "65801",
            "kind": "billing_service",
            "status": "active",
            "updated_at": self.now,
        }
        return self._save(TradingPartner(**(values | changed)))

    def engagement(self, partner: TradingPartner, practice: Practice, **changed: Any) -> Engagement:
        """`partner` works for `practice` by the roster."""
        values: dict[str, Any] = {
            "trading_partner_id": partner.id,
            "practice_id": practice.id,
            "source": "roster",
            "starts_on": date(2020, 1, 1),
        }
        return self._save(Engagement(**(values | changed)))

    def affiliation(
        self,
        subject: Subject,
        target: Provider | Practice | TradingPartner,
        *,
        registry: str | None = None,
        evidence: str = "letter",
        portal: str = "ozark-secure",
        levels: tuple[tuple[str, str], ...] = (),
        **changed: Any,
    ) -> Affiliation:
        """`subject` may act for `target`; `levels` are pairs of portal and level."""
        kind = {Provider: "provider", Practice: "practice", TradingPartner: "trading_partner"}[type(target)]
        values: dict[str, Any] = {
            "id": uuid4(),
            "subject_id": subject.id,
            "registry_name": registry or getattr(target, "registry_name", "ozark"),
            "target_kind": kind,
            "target_id": target.id,
            "status": "active",
            "starts_at": self.now - timedelta(days=10),
            "activated_at": self.now - timedelta(days=10),
            "last_used_at": self.now - timedelta(days=1),
            "created_at": self.now - timedelta(days=10),
        }
        row = Affiliation(**(values | changed))
        proof = AffiliationEvidence(affiliation_id=row.id, kind=evidence, portal=portal, at=row.starts_at)
        held = [HeldLevel(affiliation_id=row.id, portal=where, level=level, at=self.now) for where, level in levels]
        return self._save(row, proof, *held)

    def client(self, client_id: str = "ozark-secure", *, secret: str | None = CLIENT_SECRET, **changed: Any) -> Client:
        """A registered portal (`registry`, `acting_for` … of `factories.manifests.manifest` may be changed)."""
        made = manifest(client_id, **changed)
        row = Client(
            client_id=client_id,
            manifest=stored.to_row(made, client_id=client_id),
            texts={},
            manifest_digest=secrets.token_hex(32),
            applied_at=self.now,
        )
        keeps = made.registration.token_endpoint_auth_method.startswith("client_secret")
        kept = (
            [ClientSecret(client_id=client_id, digest=digest_of(secret), created_at=self.now)]
            if secret and keeps
            else []
        )
        self._save(row, *kept)
        with Session(db.engine.execution_options(credence_write=True)) as tx, tx.begin():
            relying_parties.changed(tx)
        return row

    def session(self, subject: Subject, **changed: Any) -> tuple[BrowserSession, Secret]:
        """A live session and its cookie; `sign_in_as` of a test puts it into a browser."""
        cookie = Secret(secrets.token_urlsafe(32))
        values: dict[str, Any] = {
            "id": uuid4(),
            "digest": digest_of(cookie.reveal()),
            "subject_id": subject.id,
            "browser_digest": digest_of("browser"),
            "auth_time": self.now,
            "acr": ["aal1"],
            "amr": ["pwd"],
            "subject_epoch": subject.epoch,
            "system_epoch": self._system_epoch(),
            "created_at": self.now,
            "last_seen_at": self.now,
            "expires_at": self.now + self._settings.session_absolute,
        }
        return self._save(BrowserSession(**(values | changed))), cookie

    def grant(
        self,
        session: BrowserSession,
        client_id: str,
        *,
        affiliation: Affiliation | None = None,
        provider: Provider | None = None,
        scopes: str = "openid",
        **changed: Any,
    ) -> Grant:
        """What the session's person authorized for a client, with the participant that received it."""
        participant = Participant(
            session_id=session.id, client_id=client_id, sub=session.subject_id, joined_at=self.now,
            affiliation_id=affiliation and affiliation.id, provider_id=provider and provider.id,
        )  # fmt: skip
        self._save(participant)
        values: dict[str, Any] = {
            "subject_id": session.subject_id,
            "client_id": client_id,
            "session_id": session.id,
            "sid": participant.sid,
            "sub": session.subject_id,
            "affiliation_id": affiliation and affiliation.id,
            "provider_id": provider and provider.id,
            "practice_id": provider and provider.practice_id,
            "scopes": scopes,
            "auth_time": session.auth_time,
            "acr": "aal1",
            "amr": ["pwd"],
            "subject_epoch": session.subject_epoch,
            "affiliation_epoch": affiliation and affiliation.epoch,
            "client_epoch": self._client_epoch(client_id),
            "system_epoch": session.system_epoch,
            "created_at": self.now,
            "expires_at": session.expires_at,
        }
        return self._save(Grant(**(values | changed)))

    def row(self, kind: type[Row], identity: UUID | str) -> Row:
        """A row as it stands in the database now."""
        with Session(db.engine) as tx:
            see_as(tx, everything=True)
            found = tx.get(kind, identity)
            assert found is not None
            tx.expunge_all()
            return found

    def rows(self, kind: type[Row]) -> list[Row]:
        """Every row of a table, in the order of writing: PostgreSQL's heap has none of its own once it was vacuumed."""
        asked = select(kind)
        if db.engine.dialect.name == "postgresql":
            asked = asked.order_by(text("xmin::text::bigint"), text("cmin::text::integer"))
        with Session(db.engine, expire_on_commit=False) as tx:
            see_as(tx, everything=True)
            return list(tx.scalars(asked).unique())

    def _system_epoch(self) -> int:
        with Session(db.engine) as tx:
            return epochs.current(tx)

    def _client_epoch(self, client_id: str) -> int:
        with Session(db.engine) as tx:
            return tx.execute(select(Client.epoch).where(Client.client_id == client_id)).scalar_one()


def at(hour: int, minute: int = 0, *, day: date = date(2026, 3, 2)) -> datetime:
    """A moment of the tests' day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
