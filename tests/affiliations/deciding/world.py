"""A portal, a target, its manager and its people; one call for each act."""

from datetime import datetime
from typing import Any
from uuid import UUID

from idp.affiliations import service as affiliations
from idp.affiliations.authority import ActedOn, authorize
from idp.affiliations.deciding import service
from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.service import Asked, Done
from idp.affiliations.models import Affiliation
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.assurance import Acr
from idp.vocabulary.refused import Refused
from tests.conftest import NOON

HERE = Origin("192.0.2.9", "r")
PORTAL = "cascade-mmis"
LEVELS = ("claims.inquiry", "claims.submit", "admin")


class World:
    """Lena manages the provider at a portal of D's terms; Oscar and others are its people."""

    def __init__(self, make: Any, now: datetime, *, clerks: bool = False, **changed: Any) -> None:
        self.make, self.now = make, now
        named = [{"key": key, "label": {"en": key, "es": key}, "manages": key == "admin"} for key in LEVELS]
        terms = {
            "registry": "heartland",
            "acting_for": ["provider"],
            "default_levels": ["claims.inquiry"],
            "clerks": clerks,
        }
        help_line = {"phone": "555-0100", "email": "help@payer.test"}
        make.client(PORTAL, portal=terms, levels=named, help=help_line, **changed)
        make.client("elsewhere", portal={"registry": "ozark"})
        found = relying_parties.find(PORTAL)
        assert found is not None
        self.party = found
        self.practice = make.practice("981112223")
        self.provider = make.provider("100200300", practice=self.practice, tin="981112223")
        self.lena = make.subject("lena.ortiz", given_name="Lena", family_name="Ortiz")
        self.mine = self.manager(self.lena)

    def manager(self, subject: Any, target: Any = None, **changed: Any) -> Affiliation:
        levels = tuple((PORTAL, level) for level in LEVELS)
        return self.make.affiliation(
            subject, target or self.provider, registry="heartland", account_manager=True, portal=PORTAL,
            **({"levels": levels} | changed),
        )  # fmt: skip

    def member(self, user_id: str = "oscar.benitez", *, levels: tuple[str, ...] = ("claims.inquiry",), **changed: Any):
        subject = self.make.subject(user_id, given_name="Oscar", family_name="Benítez")
        held = tuple((PORTAL, level) for level in levels)
        return self.make.affiliation(subject, self.provider, portal=PORTAL, evidence="manager", levels=held, **changed)

    def acting(self, subject: Any = None, *, target: Any = None, kind: TargetKind = TargetKind.PROVIDER) -> Acting:
        """The right as a page would have proven it; made by `authority`, or by hand where it would refuse."""
        who, target = subject or self.lena, target or self.provider
        with reading() as tx:
            held = affiliations.held(tx, subject_id=who.id, now=self.now)
        acted_on = ActedOn("heartland", kind, target.id, getattr(target, "practice_id", target.id))
        found = authorize(
            held, acted_on, subject_id=who.id, acr=Acr.AAL2, fresh_at=NOON, now=self.now,
            dormancy=house.get(Settings).dormancy,
        )  # fmt: skip
        if isinstance(found, Acting):
            return found
        return Acting(who.id, "heartland", kind, target.id, "manage", Acr.AAL2, NOON)

    def do(
        self,
        act: Act,
        row: Affiliation | UUID,
        *,
        by: Acting | None = None,
        version: int | None = None,
        levels: tuple[str, ...] = (),
        text: str = "",
        party: Any = None,
        now: datetime | None = None,
    ) -> Done | Refused:
        identity = row if isinstance(row, UUID) else row.id
        if version is None:
            version = 1 if isinstance(row, UUID) else self.make.row(Affiliation, identity).version
        asked = Asked(act, identity, version, levels, text)
        with writing() as tx:
            return service.act(
                tx, asked, acting=by or self.acting(), party=party or self.party, now=now or self.now, origin=HERE
            )

    def row(self, row: Affiliation) -> Affiliation:
        return next(each for each in self.make.rows(Affiliation) if each.id == row.id)

    def mails(self) -> list[tuple[str, str | None]]:
        rows = self.make.rows(OutboxMessage)
        return sorted(((row.notice, messaging.opened(row).payload.recipient.email) for row in rows), key=str)

    def link(self, notice: str) -> str:
        """The secret in the newest mail of this notice."""
        rows = [row for row in self.make.rows(OutboxMessage) if row.notice == notice]
        url: str = messaging.opened(rows[-1]).payload.context["url"]
        return url.partition("token=")[2]
