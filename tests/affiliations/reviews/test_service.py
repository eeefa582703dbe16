"""Yearly reviews on both databases: they begin by themselves, what nobody keeps ends, and evidence remains."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import event as sql_event
from sqlalchemy import select

from idp.affiliations.deciding.facts import Place
from idp.affiliations.models import Affiliation
from idp.affiliations.reviews import facts, sweeping
from idp.affiliations.reviews.models import AccessReview, ReviewItem
from idp.audit.models import AuditEvent
from idp.foundation.database import db, reading, see_as, writing
from idp.messaging.models import OutboxMessage
from tests.affiliations.deciding.world import LEVELS, PORTAL, World
from tests.authenticators.browsing import press
from tests.conftest import Hands
from tests.console.staff_world import HELP_DESK, enter_as, staff
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both
OLD = timedelta(days=400)


@pytest.fixture
def world(make: Any, now: datetime) -> World:
    """Lena has managed the record for more than a year; Oscar and Paula act for it."""
    world = World(make, now)
    with writing() as tx:
        see_as(tx, everything=True)
        row = tx.get(Affiliation, world.mine.id)
        assert row is not None
        row.created_at = now - OLD
    return world


def clerk(world: World, user_id: str, name: str, *levels: str, **changed: Any) -> Affiliation:
    subject = world.make.subject(user_id, given_name=name, family_name="Vale")
    return world.make.affiliation(
        subject, world.provider, registry="heartland", portal=PORTAL, evidence="manager",
        levels=tuple((PORTAL, level) for level in levels), **({"created_at": world.now - OLD} | changed),
    )  # fmt: skip


def sweep(job: Any, *, now: datetime, batch: int = 50) -> int:
    total = 0
    while True:
        with writing() as tx:
            see_as(tx, everything=True)
            step: int = job(tx, now=now, batch=batch)
        total += step
        if step == 0:
            return total


def begun(world: World, *, now: datetime | None = None) -> AccessReview:
    assert sweep(sweeping.begin, now=now or world.now) == 1
    (review,) = [row for row in world.make.rows(AccessReview) if row.closed_at is None]
    return review


def address(world: World, review: AccessReview) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}/reviews/{review.id}"


def ticks(*pairs: tuple[Affiliation, str]) -> dict[str, str]:
    return {f"keep.{row.id.hex}.{level}": "yes" for row, level in pairs}


def outcomes(world: World) -> dict[str, str | None]:
    names = {row.id: row.subject_id for row in world.make.rows(Affiliation)}
    return {names[item.affiliation_id]: item.outcome for item in world.make.rows(ReviewItem)}


def mailed(world: World) -> list[str]:
    return sorted(row.notice for row in world.make.rows(OutboxMessage))


def test_a_review_begins_once_a_year_and_tells_the_managers(world: World, hands: Hands) -> None:
    review = begun(world)
    assert (review.due_at - review.opened_at, mailed(world)) == (timedelta(days=30), ["review_opened"])
    assert sweep(sweeping.begin, now=world.now + timedelta(days=2)) == 0
    assert sweep(sweeping.remind, now=world.now + timedelta(days=15)) == 0
    assert sweep(sweeping.remind, now=world.now + timedelta(days=16)) == 1
    assert sweep(sweeping.remind, now=world.now + timedelta(days=29)) == 1
    assert mailed(world) == ["review_opened", "review_waiting", "review_waiting"]


def test_a_portal_that_wants_none_has_none_and_a_new_manager_has_a_year(make: Any, now: datetime) -> None:
    world = World(make, now)
    assert sweep(sweeping.begin, now=now + timedelta(days=364)) == 0, "made today"
    make.client("quiet", portal={"registry": "heartland", "acting_for": ["provider"], "review_days": 0})
    world.make.affiliation(
        make.subject("kim"), make.provider("100200301"), registry="heartland", account_manager=True, portal="quiet",
        created_at=now - OLD, levels=(("quiet", "admin"),),
    )  # fmt: skip
    with writing() as tx:
        see_as(tx, everything=True)
        sweeping.begin(tx, now=now, batch=50)
    assert [row.portal for row in make.rows(AccessReview)] == [PORTAL]


def test_what_a_manager_ticks_stays_what_not_ends_and_both_are_evidence(
    client: FlaskClient, world: World, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    oscar = clerk(world, "oscar", "Oscar", "claims.inquiry", "claims.submit")
    paula = clerk(world, "paula", "=Paula", "claims.inquiry")
    late = clerk(world, "lately", "Lately", "claims.inquiry", created_at=world.now + timedelta(hours=1))
    review = begun(world)
    hands.forward(hours=2)
    lena, here = at_desk(client, "lena.ortiz"), address(world, review)
    page = lena.get(here)
    assert "Lately" not in page.text, "who came later is asked about next time"
    sent = ticks((oscar, "claims.inquiry"), *((world.mine, level) for level in LEVELS))
    assert press(lena, page, here, **sent).location == f"{here}/confirm"
    question = lena.get(f"{here}/confirm")
    assert "The access of one person ends." in question.text
    assert press(lena, question, f"{here}/confirm").location == f"{here}?done=confirmed"
    assert {row.id: row.status for row in world.make.rows(Affiliation)} == {
        world.mine.id: "active", oscar.id: "active", paula.id: "ended", late.id: "active"
    }  # fmt: skip
    assert [level.level for level in world.row(oscar).levels] == ["claims.inquiry"]
    assert outcomes(world) == {world.lena.id: "kept", oscar.subject_id: "changed", paula.subject_id: "ended"}
    stands = [row.details["levels"] for row in world.make.rows(AuditEvent) if row.type == "affiliation_stands"]
    assert {PORTAL: [["claims.inquiry", None]]} in [
        {portal: [[level, None] for level, _ in held] for portal, held in levels.items()} for levels in stands
    ], "the audit says from when on the others were gone"
    assert mailed(world)[-3:] == ["access_ended", "review_closed", "review_opened"]
    taken = press(lena, lena.get(here), f"{here}/evidence", format="csv")
    rows = {row["user_id"]: row for row in csv.DictReader(io.StringIO(taken.text))}
    assert (rows["paula"]["name"], rows["paula"]["levels_kept"], rows["paula"]["outcome"]) == (
        "'=Paula Vale", "none", "ended"
    )  # fmt: skip
    assert (rows["oscar"]["levels_before"], rows["oscar"]["said_by"]) == ("claims.inquiry;claims.submit", "Lena Ortiz")
    drawn: list[str] = []
    draw = Canvas.drawString
    monkeypatch.setattr(Canvas, "drawString", lambda *given: (drawn.append(given[3]), draw(*given)))
    pdf = press(lena, lena.get(here), f"{here}/evidence", format="pdf")
    text = " ".join(drawn)
    assert (
        pdf.data.startswith(b"%PDF-")
        and "Oscar Vale" in text
        and "Confirmed by Lena Ortiz" in text
        and "981112223" not in text
    )
    told = {row.type for row in world.make.rows(AuditEvent)}
    assert told >= {"review_opened", "review_said", "review_confirmed", "review_closed", "audit_exported"}


def test_at_its_end_what_nobody_kept_ends_by_itself_but_the_last_manager_stays(world: World) -> None:
    oscar = clerk(world, "oscar", "Oscar", "claims.inquiry")
    review = begun(world)
    assert sweep(sweeping.close, now=review.due_at - timedelta(seconds=1)) == 0
    sweep(sweeping.close, now=review.due_at, batch=1)
    assert (world.row(oscar).status, world.row(world.mine).status) == ("ended", "active")
    assert outcomes(world) == {world.lena.id: "last_manager", oscar.subject_id: "ended"}
    (closed,) = [row for row in world.make.rows(AuditEvent) if row.type == "review_closed"]
    assert (closed.outcome, closed.details["ended"]) == ("unanswered", 1)
    assert sweep(sweeping.close, now=review.due_at + timedelta(days=1)) == 0


def test_AD_07_nobody_certifies_themselves_where_another_manager_can(
    client: FlaskClient, world: World, new_browser: Callable[[], FlaskClient]
) -> None:
    helen = world.manager(world.make.subject("helen", given_name="Helen"), created_at=world.now - OLD)
    review = begun(world)
    lena, here = at_desk(client, "lena.ortiz"), address(world, review)
    page = lena.get(here)
    own = {f"person.{world.mine.id.hex}": "yes", **ticks((world.mine, "admin"))}
    refused = press(lena, page, here, **own)
    assert refused.status_code == 403 and world.make.rows(ReviewItem) == []
    assert press(lena, lena.get(here), here, **ticks(*((helen, level) for level in LEVELS))).status_code == 303
    asked = lena.get(f"{here}/confirm")
    assert 'id="do-it"' not in asked.text
    assert press(lena, asked, f"{here}/confirm").status_code == 409
    other = at_desk(new_browser(), "helen")
    assert press(other, other.get(here), here, every="yes").status_code == 303
    assert press(lena, lena.get(f"{here}/confirm"), f"{here}/confirm").status_code == 303
    assert set(outcomes(world).values()) == {"kept"}


def test_AD_02_a_foreign_review_or_person_looks_as_if_there_were_none(
    client: FlaskClient, world: World, new_browser: Callable[[], FlaskClient]
) -> None:
    review = begun(world)
    elsewhere = world.make.provider("100200999")
    stranger = world.make.affiliation(
        world.make.subject("stranger"), elsewhere, registry="heartland", portal=PORTAL, created_at=world.now - OLD
    )
    world.manager(world.make.subject("iris"), elsewhere)
    iris, here = at_desk(new_browser(), "iris"), address(world, review)
    there = here.replace(str(world.provider.id), str(elsewhere.id))
    for path in (here, there, f"{there}/confirm", f"{here}/confirm"):
        assert iris.get(path).status_code == 404, path
    lena = at_desk(client, "lena.ortiz")
    page = lena.get(here)
    assert press(lena, page, here, **{f"person.{stranger.id.hex}": "yes"}).status_code == 404
    for wrong in ({"keep.x.claims.inquiry": "yes"}, {f"person.{world.mine.id.hex}": "no"}, {"role": "admin"}):
        assert press(lena, page, here, **wrong).status_code == 400, wrong
    assert lena.get(f"/manage/{PORTAL}/{world.provider.id}/reviews/{uuid4()}").status_code == 404


def test_a_page_costs_the_same_with_many_people_and_each_comes_once(world: World) -> None:
    def page(after: facts.Key | None) -> tuple[int, list[UUID], facts.Key | None]:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        party = world.party
        from idp.affiliations.managers.facts import point_at
        from idp.affiliations.service import terms_of
        from idp.vocabulary.affiliation import TargetKind

        with reading() as tx:
            see_as(tx, target_id=world.provider.id)
            terms = terms_of(party)
            target = point_at(
                tx, registry="heartland", kind=TargetKind.PROVIDER, target_id=world.provider.id, now=world.now
            )
            assert terms is not None and target is not None
            place = Place(party, terms, target)
            row = facts.find(tx, place, review.id)
            assert row is not None
            sql_event.listen(db.engine, "before_cursor_execute", counted)
            people, more = facts.page(tx, place, row, after=after, now=world.now)
            sql_event.remove(db.engine, "before_cursor_execute", counted)
        return count, [each.affiliation_id for each in people], more

    review = begun(world)
    few = page(None)[0]
    for number in range(2 * facts.A_PAGE):
        clerk(world, f"clerk.{number}", f"Clerk {number:03}", "claims.inquiry")
    seen: list[UUID] = []
    after: facts.Key | None = None
    while True:
        count, people, after = page(after)
        assert count == few
        seen += people
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 2 * facts.A_PAGE + 1


def test_staff_see_reviews_that_nobody_confirms(client: FlaskClient, world: World, make: Any) -> None:
    review = begun(world)
    with writing() as tx:
        see_as(tx, everything=True)
        row = tx.get(AccessReview, review.id)
        assert row is not None
        row.due_at = world.now + timedelta(days=3)
    paul = enter_as(client, make, staff(make, HELP_DESK))
    page = paul.get("/console/reviews")
    assert "DELGADO, ROSA" in page.text and "Open" in page.text


def test_D5_a_target_s_reviews_are_behind_the_row_fence(world: World) -> None:
    review = begun(world)

    def seen(**scope: Any) -> list[UUID]:
        with reading() as tx:
            see_as(tx, **scope)
            return list(tx.scalars(select(AccessReview.id)))

    assert seen(target_id=world.provider.id) == seen(everything=True) == [review.id]
    if db.engine.dialect.name == "postgresql":
        assert seen(target_id=uuid4()) == seen(subject_id=world.lena.id) == []


def test_AD_24_former_reviews_are_paged_by_key_newest_first(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for years in (1, 2, 3, 4, 5):
        opened = world.now - years * timedelta(days=365)
        review = AccessReview(
            portal=PORTAL, registry_name="heartland", target_kind="provider", target_id=world.provider.id,
            opened_at=opened, due_at=opened, closed_at=opened,
        )  # fmt: skip
        world.make._save(review)
    monkeypatch.setattr(facts, "A_PAGE", 2)
    lena, seen = at_desk(client, "lena.ortiz"), []
    address = f"/manage/{PORTAL}/{world.provider.id}/reviews"
    for _ in range(3):
        page = lena.get(address).text
        seen.append(re.findall(r'scope="row"><b><time[^>]*datetime="(\d{4})', page))
        address = html.unescape(page.split(">Next<", 1)[0].rsplit('href="', 1)[1].split('"', 1)[0])
    assert seen == [["2025", "2024"], ["2023", "2022"], ["2021"]]
    assert ">Next<" not in page and ">First page<" in page
