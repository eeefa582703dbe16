"""An act at one portal is an act at every portal that the access serves (MODEL §1, §7, §10; AD-04, AD-11), on both databases.

Three portals of one registry, as of the demo: C takes managers by data match, D by letter, B by the payer's word.
"""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from idp.affiliations.deciding.facts import Place
from idp.affiliations.deciding.reach import Beyond, Change, Elsewhere, beyond
from idp.affiliations.deciding.rules import Act, Actor, Member, Reason, Setting, decide, held_back
from idp.affiliations.deciding.service import Done
from idp.affiliations.invitations import inviting
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Asks, Effect, Has, becomes
from idp.affiliations.invitations.service import Accepted, Offer
from idp.affiliations.managers.facts import managers_of
from idp.affiliations.managers.facts import point_at as pointed
from idp.affiliations.models import Affiliation
from idp.affiliations.reviews import closing
from idp.affiliations.reviews.models import AccessReview, ReviewItem
from idp.affiliations.service import terms_of
from idp.audit.models import AuditEvent
from idp.foundation import house
from idp.foundation.database import reading, see_as, writing
from idp.manage import facts as listing
from idp.manage.rules import Filter
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, LEVELS, PORTAL, World

B, C, D = "heartland-selfservice", "carebridge-provider", PORTAL
BROWSER = b"b" * 32
DIRECTORY, LETTER, MANAGER, PAYER = Evidence.DIRECTORY, Evidence.LETTER, Evidence.MANAGER, Evidence.PAYER
AT_D = Elsewhere(LETTER, LETTER)
both = pytest.mark.both


def there(**changed: Any) -> Elsewhere:
    return Elsewhere(**({"accepts": LETTER, "accepts_for_manager": LETTER} | changed))


TICK, UNTICK = Change(before=False, after=True, active=True), Change(before=True, after=False, active=True)
END, END_MANAGER = Change(False, False, True, takes=True), Change(True, True, True, takes=True)
SLEPT = Change(True, True, False, takes=True)


@pytest.mark.parametrize(
    ("portal", "change", "expected"),
    [
        (there(), TICK, None),
        (there(proven=True), TICK, Beyond.NO_STANDING),
        (there(proven=True, actor_manages=True), TICK, None),
        (there(), UNTICK, None),
        (there(proven=True, other_managers=1), UNTICK, Beyond.NO_STANDING),
        (there(proven=True, actor_manages=True), UNTICK, Beyond.LAST_MANAGER),
        (there(proven=True, actor_manages=True, other_managers=1), UNTICK, None),
        (there(proven=True, other_managers=1), END_MANAGER, Beyond.NO_STANDING),
        (there(proven=True), SLEPT, Beyond.NO_STANDING),
        (there(proven=True, actor_manages=True), SLEPT, None),
        (there(acts=True), END, None),
        (there(acts=True, levels=frozenset({"claims"})), END, Beyond.NO_STANDING),
        (there(acts=True, levels=frozenset({"claims"}), actor_acts=True), END, None),
        (there(levels=frozenset({"claims"})), END, None),
        (there(), Change(True, True, False, word=DIRECTORY), None),
        (there(), Change(True, True, False, word=MANAGER), Beyond.NO_STANDING),
        (there(proven=True), Change(True, True, False, word=DIRECTORY), Beyond.NO_STANDING),
        (there(acts=True, levels=frozenset({"claims"}), actor_acts=True), Change(False, False, False, word=MANAGER), Beyond.HOLDS_MORE),
        (there(levels=frozenset({"claims"}), actor_acts=True), Change(False, False, False, word=MANAGER), Beyond.HOLDS_MORE),
        (there(levels=frozenset({"claims"})), Change(False, False, False, word=DIRECTORY), None),
        (
            there(acts=True, levels=frozenset({"claims"}), actor_acts=True, actor_levels=frozenset({"claims"})),
            Change(False, False, False, word=MANAGER),
            None,
        ),
    ],
)  # fmt: skip
def test_MODEL_1_nobody_gives_or_takes_at_a_portal_what_is_not_theirs_there(
    portal: Elsewhere, change: Change, expected: Beyond | None
) -> None:
    assert beyond(portal, change) is expected


def judged(act: Act, status: AffiliationStatus, *, wanted: Any = (), elsewhere: Any = (), **changed: Any) -> Any:
    actor = Actor("lena", frozenset({"claims", "admin"}), (LETTER,))
    setting = Setting(frozenset({"claims", "records", "admin"}), "admin", 1, elsewhere)
    member = Member("oscar", status, 1, **({"levels": frozenset({"claims"})} | changed))
    found = decide(act, actor=actor, member=member, setting=setting, version=1, wanted=wanted)
    return found.reason if isinstance(found, Refused) else held_back(actor=actor, member=member, setting=setting)


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (Act.ENABLE, AffiliationStatus.DISABLED),
        (Act.VERIFY, AffiliationStatus.VERIFICATION_PENDING),
        (Act.SEND_REGISTRATION, AffiliationStatus.UNVERIFIED),
    ],
)
def test_MODEL_7_what_comes_to_life_is_within_what_the_manager_holds(act: Act, status: AffiliationStatus) -> None:
    more, everybody = frozenset({"claims", "records"}), frozenset({"claims", "records"})
    assert judged(act, status) is None
    assert judged(act, status, levels=more) is Reason.HOLDS_MORE
    assert judged(act, status, levels=everybody, by_default=True) is None
    assert judged(act, status, elsewhere=(there(acts=True, levels=more),)) is Reason.ELSEWHERE


def test_MODEL_1_a_mark_that_would_do_nothing_is_not_given() -> None:
    wanted = frozenset({"claims", "admin"})
    assert judged(Act.SET_LEVELS, AffiliationStatus.ACTIVE, wanted=wanted, proven=False) is Reason.NOT_PROVEN
    assert judged(Act.SET_LEVELS, AffiliationStatus.ACTIVE, wanted=wanted) is None


ASKS = {
    C: Asks(DIRECTORY, DIRECTORY, frozenset({"admin"})),
    D: Asks(LETTER, LETTER, frozenset({"admin"})),
    B: Asks(LETTER, PAYER, frozenset({"admin"})),
}
ONE, TWO, BOSS = frozenset({"claims.inquiry"}), frozenset({"claims.submit"}), frozenset({"admin"})


@pytest.mark.parametrize(
    ("effect", "has", "proofs", "portal", "ticked", "word", "expected"),
    [
        (Effect.ACTIVATE, Has({D: TWO | BOSS, C: TWO}, True), (LETTER,), D, ONE, MANAGER, Has({D: ONE}, False)),
        (Effect.ACTIVATE, Has({D: TWO}, False), (LETTER,), D, ONE | BOSS, MANAGER, Has({D: ONE | BOSS}, True)),
        (Effect.ACTIVATE, Has({}, True), (LETTER,), B, ONE | BOSS, MANAGER, Has({B: ONE | BOSS}, False)),
        (Effect.STRENGTHEN, Has({D: TWO}, False), (LETTER,), D, ONE, MANAGER, Has({D: ONE | TWO}, False)),
        (Effect.STRENGTHEN, Has({D: TWO, B: TWO}, False), (DIRECTORY,), D, ONE, MANAGER, Has({D: ONE}, False)),
        (Effect.STRENGTHEN, Has({C: TWO | BOSS}, True), (DIRECTORY,), D, ONE, MANAGER, Has({C: TWO, D: ONE}, False)),
        (Effect.STRENGTHEN, Has({C: BOSS}, True), (DIRECTORY,), D, ONE | BOSS, MANAGER, Has({C: BOSS, D: ONE | BOSS}, True)),
        (Effect.STRENGTHEN, Has({D: BOSS}, True), (LETTER,), D, ONE, MANAGER, Has({D: ONE | BOSS}, True)),
        (Effect.STRENGTHEN, Has({C: BOSS}, True), (DIRECTORY,), C, ONE, DIRECTORY, Has({C: ONE | BOSS}, True)),
    ],
)  # fmt: skip
def test_MODEL_7_an_invitation_gives_what_was_ticked_and_wakes_nothing_else(
    effect: Effect, has: Has, proofs: Any, portal: str, ticked: Any, word: Evidence, expected: Has
) -> None:
    assert becomes(effect, has, ticked=ticked, portal=portal, proofs=proofs, word=word, asks=ASKS) == expected


class Three(World):
    """Cara manages C alone; Lena, by letter, D and C."""

    def __init__(self, make: Any, now: Any) -> None:
        named = [{"key": key, "label": {"en": key, "es": key}, "manages": key == "admin"} for key in LEVELS]
        for name, accepts, manages in ((C, "directory", "directory"), (B, "letter", "payer")):
            terms = {
                "registry": "heartland", "acting_for": ["provider"], "accepts": accepts, "accepts_for_manager": manages,
                "default_levels": ["claims.inquiry"],
            }  # fmt: skip
            make.client(name, portal=terms, levels=named)
        super().__init__(make, now)
        self.cara = make.subject("cara.match", given_name="Cara", family_name="Match")
        self.matched = make.affiliation(
            self.cara, self.provider, portal=C, evidence="directory", account_manager=True,
            levels=tuple((C, level) for level in LEVELS),
        )  # fmt: skip

    def at(self, portal: str) -> Any:
        found = relying_parties.find(portal)
        assert found is not None
        return found

    def by_cara(self, act: Act, row: Affiliation, **more: Any) -> Any:
        found = self.do(act, row, by=self.acting(self.cara), party=self.at(C), **more)
        return found.reason if isinstance(found, Refused) else found.act

    def managers(self, portal: str) -> set[str]:
        terms = terms_of(self.at(portal))
        assert terms is not None
        with reading() as tx:
            target = pointed(
                tx, registry="heartland", kind=TargetKind.PROVIDER, target_id=self.provider.id, now=self.now
            )
            assert target is not None
            dormancy = house.get(Settings).dormancy
            return {
                each.subject.user_id or "?"
                for each in managers_of(tx, target=target, terms=terms, now=self.now, dormancy=dormancy)
            }

    def place(self, tx: Any, portal: str) -> Place:
        terms = terms_of(self.at(portal))
        target = pointed(tx, registry="heartland", kind=TargetKind.PROVIDER, target_id=self.provider.id, now=self.now)
        assert terms is not None
        assert target is not None
        return Place(self.at(portal), terms, target)

    def levels(self, row: Affiliation) -> set[tuple[str, str]]:
        return {(held.portal, held.level) for held in self.row(row).levels}

    def invited(self, row: Affiliation, levels: tuple[str, ...], *, by: Any = None, portal: str = D) -> Any:
        """Invited before the access was disabled; the yes comes now."""
        subject = next(each for each in (self.make.rows(type(self.lena))) if each.id == row.subject_id)
        with writing() as tx:
            made = inviting.invite(
                tx, acting=by or self.acting(), party=self.at(portal), email=subject.email, given_name="", family_name="",
                levels=levels, locale="en", now=self.now, origin=HERE,
            )  # fmt: skip
        if isinstance(made, Refused):
            return made.reason
        offer = invitations.present(self.link("invitation"), browser_digest=BROWSER, now=self.now, origin=HERE)
        assert isinstance(offer, Offer)
        with writing() as tx:
            return invitations.accept(
                tx, invitation_id=offer.id, browser_digest=BROWSER, subject_id=subject.id, now=self.now, origin=HERE
            )


@pytest.fixture
def world(make: Any, now: Any) -> Three:
    return Three(make, now)


@both
def test_AD_04_a_manager_of_one_portal_makes_no_manager_of_another(world: Three) -> None:
    clerk = world.member(levels=("claims.inquiry",))
    assert world.by_cara(Act.SET_LEVELS, clerk, levels=("claims.inquiry", "admin")) is Reason.ELSEWHERE
    assert world.managers(D) == {"lena.ortiz"}
    refused = [row for row in world.make.rows(AuditEvent) if row.outcome == "elsewhere"]
    assert [row.actor for row in refused] == [world.cara.id]
    assert isinstance(world.do(Act.SET_LEVELS, clerk, levels=("claims.inquiry", "admin")), Done)
    assert world.managers(D) == {"lena.ortiz", "oscar.benitez"}


@both
@pytest.mark.parametrize(
    ("act", "levels"), [(Act.REMOVE, ()), (Act.DISABLE, ()), (Act.SET_LEVELS, ("claims.inquiry",))]
)
def test_MODEL_7_a_manager_of_one_portal_unmakes_no_manager_of_another(
    world: Three, act: Act, levels: tuple[str, ...]
) -> None:
    assert world.by_cara(act, world.mine, levels=levels) is Reason.ELSEWHERE
    assert world.managers(D) == {"lena.ortiz"}
    kept = ("claims.inquiry", "claims.submit") if levels else ()
    assert isinstance(world.do(act, world.matched, levels=kept, party=world.at(C)), Done), "whoever manages both may"


@both
def test_MODEL_7_access_ends_by_who_has_standing_where_it_acts(world: Three) -> None:
    clerk = world.member(levels=("claims.inquiry",))
    assert world.by_cara(Act.REMOVE, clerk) is Reason.ELSEWHERE
    assert isinstance(world.do(Act.DISABLE, clerk), Done)
    assert world.by_cara(Act.ENABLE, clerk) is Reason.ELSEWHERE
    own = world.make.affiliation(
        world.make.subject("own.clerk"), world.provider, portal=C, evidence="directory", levels=((C, "claims.inquiry"),)
    )
    assert world.by_cara(Act.REMOVE, own) is Act.REMOVE


@both
def test_MODEL_10_a_review_at_one_portal_leaves_the_manager_of_another(world: Three) -> None:
    other = world.make.affiliation(
        world.make.subject("clerk.own"), world.provider, portal=C, evidence="directory", levels=((C, "claims.inquiry"),)
    )
    for confirmed_by in (world.cara.id, None):
        with writing() as tx:
            see_as(tx, everything=True)
            review = AccessReview(
                portal=C, registry_name="heartland", target_kind="provider", target_id=world.provider.id,
                opened_at=world.now, due_at=world.now, confirmed_by=confirmed_by,
                confirmed_at=world.now if confirmed_by else None,
            )  # fmt: skip
            tx.add(review)
            tx.flush()
            if confirmed_by:
                own = {"affiliation_id": world.matched.id, "target_id": world.provider.id}
                tx.add(ReviewItem(review_id=review.id, levels_before=list(LEVELS), levels_kept=list(LEVELS), **own))
                tx.flush()
            closing.carry_out(tx, world.place(tx, C), review, now=world.now, origin=HERE, batch=50)
        assert world.managers(D) == {"lena.ortiz"}
        said = {row.affiliation_id: row.outcome for row in world.make.rows(ReviewItem) if row.review_id == review.id}
        assert said[world.mine.id] == ("kept" if confirmed_by else "last_manager")
    assert world.row(other).status == "ended"


@both
def test_AD_26_who_is_let_in_again_holds_what_was_ticked_and_no_more(world: Three) -> None:
    subject = world.make.subject("former.boss")
    row = world.manager(subject, status="disabled", disabled_by="manager")
    assert isinstance(world.invited(row, ("claims.inquiry",)), Accepted)
    assert world.levels(row) == {(D, "claims.inquiry")}
    assert (world.row(row).status, world.row(row).account_manager) == ("active", False)
    changed = [row.details for row in world.make.rows(AuditEvent) if row.type == "levels_changed"]
    assert changed == [{"before": sorted(LEVELS), "after": ["claims.inquiry"]}]


@both
def test_AD_04_an_old_mark_wakes_at_no_portal_by_another_manager_s_word(world: Three) -> None:
    """Cara is invited to D with one level: the stronger word makes her no manager there."""
    with writing() as tx:  # her address changes after the mail was typed: the target's own list would have refused it
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == world.matched.id).values(status="disabled"))
    assert isinstance(world.invited(world.matched, ("claims.inquiry",)), Accepted)
    assert world.managers(D) == {"lena.ortiz"}


@both
def test_MODEL_7_a_registration_link_completes_no_more_than_its_sender_holds(world: Three) -> None:
    clerk = world.member(status="unverified", levels=("claims.inquiry",), activated_at=None, last_used_at=None)
    assert isinstance(world.do(Act.SEND_REGISTRATION, clerk), Done)
    offer = invitations.present(world.link("registration_link"), browser_digest=BROWSER, now=world.now, origin=HERE)
    assert isinstance(offer, Offer)
    with writing() as tx:
        tx.execute(update(Invitation).values(invited_by=world.cara.id, portal=C, evidence="directory"))
    with writing() as tx:
        found = invitations.accept(
            tx, invitation_id=offer.id, browser_digest=BROWSER, subject_id=clerk.subject_id, now=world.now, origin=HERE
        )
    assert isinstance(found, Refused), "what waits has levels at D, where Cara is nobody"


@both
def test_MODEL_1_where_only_the_payer_makes_managers_no_tick_does_and_no_list_says_so(world: Three) -> None:
    boss = world.make.subject("payer.boss")
    proven = world.make.affiliation(
        boss,
        world.provider,
        portal=B,
        evidence="payer",
        account_manager=True,
        levels=tuple((B, each) for each in LEVELS),
    )
    clerk = world.member(levels=("claims.inquiry",))
    by = world.acting(boss)
    assert world.do(Act.SET_LEVELS, clerk, by=by, party=world.at(B), levels=("claims.inquiry", "admin")) == Refused(
        Reason.NOT_PROVEN
    )
    new = world.make.affiliation(world.make.subject("new.one"), world.provider, portal=B, status="ended")
    assert world.invited(new, ("claims.inquiry", "admin"), by=by, portal=B) is Reason.NOT_PROVEN
    dormancy = house.get(Settings).dormancy
    for portal, expected in (
        (B, {proven.id}),
        (D, {proven.id, world.mine.id}),
        (C, {proven.id, world.mine.id, world.matched.id}),
    ):
        with reading() as tx:
            place = world.place(tx, portal)
            see_as(tx, target_id=world.provider.id)
            listed = listing.people(
                tx, place, shown=Filter.ALL, search="", after=None, now=world.now, dormancy=dormancy
            )
            shown: set[UUID] = {row.affiliation_id for row in listed.rows if row.account_manager}
            assert listing.managers(tx, place, now=world.now, dormancy=dormancy) == len(expected)
        assert shown == expected
