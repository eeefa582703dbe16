"""Both sides of an engagement (MODEL §2, §7; AD-01, AD-02, AD-11): the practice caps and ends, the partner assigns."""

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from idp.affiliations.engagements import facts
from idp.affiliations.engagements.models import EngagementStaff
from idp.audit.models import AuditEvent
from idp.directory.models import Engagement
from idp.messaging.models import OutboxMessage
from tests.authenticators.browsing import post_form
from tests.conftest import Hands
from tests.manage.desks import at_desk
from tests.oidc.conftest import SCOPE as EVERYTHING
from tests.oidc.flow import Flow, Registered, answered, payload_of

pytestmark = pytest.mark.both
TIN, EXCHANGE, SECURE = "812345678", "ozark-exchange", "ozark-secure"
SCOPE = "openid trading_partner tin entitlements"
LEVELS = ("claims.inquiry", "claims.submit", "admin")


class Both:
    """Pia manages a practice at E, Bert a billing company at A; Rosa and Sam are on the company's staff."""

    def __init__(self, make: Any) -> None:
        self.make = make
        named = [{"key": key, "label": {"en": key, "es": key}, "manages": key == "admin"} for key in LEVELS]
        for client_id, kind in ((EXCHANGE, "trading_partner"), (SECURE, "practice")):
            terms = {"registry": "ozark", "acting_for": [kind], "default_levels": ["claims.inquiry"]}
            make.client(client_id, registration={"scope": EVERYTHING}, portal=terms, levels=named)
        self.partner = make.trading_partner("OHTP204518")
        provider = make.provider("200300400", tin=TIN, registry_name="ozark")
        self.practice_id = provider.practice_id
        practice = make.row(type(make.practice()), self.practice_id)
        self.pia = self._manager("pia.lund", practice, SECURE)
        self.bert = self._manager("bert.bond", self.partner, EXCHANGE)
        self.rosa, self.sam = (self._staff(user_id) for user_id in ("rosa.delgado", "sam.stone"))

    def _manager(self, user_id: str, target: Any, portal: str) -> Any:
        levels = tuple((portal, level) for level in LEVELS)
        return self.make.affiliation(
            self.make.subject(user_id), target, registry="ozark", portal=portal, levels=levels, account_manager=True
        )

    def _staff(self, user_id: str) -> Any:
        levels = ((EXCHANGE, "claims.inquiry"), (EXCHANGE, "claims.submit"))
        return self.make.affiliation(
            self.make.subject(user_id), self.partner, registry="ozark", portal=EXCHANGE, levels=levels
        )

    def rows(self) -> list[Engagement]:
        return sorted(self.make.rows(Engagement), key=lambda row: row.source)

    @property
    def practice_side(self) -> str:
        return f"/manage/{SECURE}/{self.practice_id}/partners"

    @property
    def partner_side(self) -> str:
        return f"/manage/{EXCHANGE}/{self.partner.id}/practices"


@pytest.fixture
def both(make: Any) -> Both:
    return Both(make)


@pytest.fixture
def pia(new_browser: Callable[[], FlaskClient], both: Both) -> FlaskClient:
    return at_desk(new_browser(), "pia.lund")


@pytest.fixture
def bert(new_browser: Callable[[], FlaskClient], both: Both) -> FlaskClient:
    return at_desk(new_browser(), "bert.bond")


@pytest.fixture
def staff(client: FlaskClient, both: Both) -> Flow:
    return Flow(client, Registered(EXCHANGE, scope=SCOPE))


def agree(pia: FlaskClient, both: Both, **typed: str) -> Any:
    found = post_form(pia, pia.get(both.practice_side), "find-form", number="ohtp204518")
    assert found.status_code == 303
    return post_form(
        pia, pia.get(found.location), "terms-form", **({"capped": "no", "starts_on": "2026-03-02"} | typed)
    )


def assign(bert: FlaskClient, both: Both, who: str, *people: Any) -> Any:
    address = f"{both.partner_side}/{both.practice_id}"
    ticked = {f"{kind}.{each.id.hex}": "yes" for each in people for kind in ("shown", "person")}
    return post_form(bert, bert.get(address), "staff-form", who=who, **ticked)


def for_practice(staff: Flow) -> dict[str, Any]:
    return payload_of(staff.tokens(scope=f"{SCOPE} tin:{TIN}")["access_token"])


def test_MODEL_7_a_practice_engages_caps_and_ends_and_tokens_follow_at_the_next_request(
    pia: FlaskClient, both: Both, staff: Flow, make: Any
) -> None:
    staff.tokens()
    assert answered(staff.through(staff.authorize(scope=f"{SCOPE} tin:{TIN}")))["error"] == "access_denied"
    answer = agree(pia, both)
    assert answer.status_code == 303, answer.text
    assert for_practice(staff)["entitlements"] == ["claims.inquiry", "claims.submit"]
    capped = agree(pia, both, capped="yes", **{"level.claims.inquiry": "yes"})
    assert capped.status_code == 303, capped.text
    told = staff.tokens(scope=f"{SCOPE} tin:{TIN}")
    assert payload_of(told["access_token"])["entitlements"] == ["claims.inquiry"]
    assert staff.introspect(told["access_token"])["active"]
    page = pia.get(f"{both.practice_side}/{both.partner.id}")
    assert post_form(pia, page, "end-form").status_code == 303
    assert not staff.introspect(told["access_token"])["active"]
    assert staff.userinfo(told["access_token"]).status_code == 401
    happened = [(row.type, row.actor) for row in make.rows(AuditEvent) if row.type == "engagement_changed"]
    assert happened == [("engagement_changed", both.pia.subject_id)] * 3
    assert [row.notice for row in make.rows(OutboxMessage)] == ["engagement"] * 3, "the partner's manager"


def test_MODEL_2_what_the_roster_engaged_a_manager_caps_and_ends_for_good(
    pia: FlaskClient, both: Both, staff: Flow, make: Any
) -> None:
    practice = make.row(type(make.practice()), both.practice_id)
    make.engagement(both.partner, practice)
    assert for_practice(staff)["entitlements"] == ["claims.inquiry", "claims.submit"]
    agree(pia, both, starts_on="2020-01-01", capped="yes", **{"level.claims.submit": "yes"})
    assert for_practice(staff)["entitlements"] == ["claims.submit"], "the manager's word before the roster's"
    page = pia.get(f"{both.practice_side}/{both.partner.id}")
    post_form(pia, page, "end-form")
    assert {(row.source, row.ends_on, row.ended_by) for row in both.rows()} == {
        (source, date(2026, 3, 2), both.pia.subject_id) for source in ("manager", "roster")
    }


def test_MODEL_7_dates_on_both_begin_and_end_it(
    pia: FlaskClient, both: Both, new_browser: Callable[[], FlaskClient], hands: Hands
) -> None:
    assert agree(pia, both, starts_on="2026-03-04", ends_on="2026-03-06").status_code == 303
    for day, works in ((0, False), (2, True), (3, True), (4, False)):
        hands.at(hands.now.replace(day=2) + timedelta(days=day))
        staff = Flow(new_browser(), Registered(EXCHANGE, scope=SCOPE))
        staff.tokens()
        told = answered(staff.through(staff.authorize(scope=f"{SCOPE} tin:{TIN}")))
        assert ("code" in told) is works, day


def test_MODEL_7_a_partner_s_manager_assigns_staff_and_the_others_are_out_at_once(
    pia: FlaskClient, bert: FlaskClient, both: Both, staff: Flow, make: Any
) -> None:
    agree(pia, both)
    token = staff.tokens(scope=f"{SCOPE} tin:{TIN}")["access_token"]
    assert staff.introspect(token)["active"]
    assert "Everybody" in bert.get(both.partner_side).text
    assert assign(bert, both, "these").status_code == 422, "nobody is not everybody"
    assert assign(bert, both, "these", both.sam).status_code == 303
    assert not staff.introspect(token)["active"]
    assert answered(staff.through(staff.authorize(scope=f"{SCOPE} tin:{TIN}")))["error"] == "access_denied"
    own = payload_of(staff.tokens()["access_token"])
    assert own["represents"] == [], "no more than the person may act for"
    assert assign(bert, both, "these", both.sam, both.rosa).status_code == 303
    assert for_practice(staff)["tin"] == TIN
    assert assign(bert, both, "everybody").status_code == 303
    assert make.rows(EngagementStaff) == []
    kept = [row.details["everybody"] for row in make.rows(AuditEvent) if row.type == "engagement_staffed"]
    assert sorted(kept) == [False, False, True]


def test_MODEL_7_staff_and_practices_are_paged_and_a_page_changes_nobody_else(
    bert: FlaskClient, both: Both, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "A_PAGE", 2)
    for name in ("Alder", "Birch"):
        practice = make.practice(name=name)
        make.engagement(both.partner, practice)
    practice = make.practice(name="Zinnia")
    make.engagement(both.partner, practice)
    first = bert.get(both.partner_side)
    assert names_in(first.text) == ["Alder", "Birch"]
    second = bert.get(next_of(first.text))
    assert names_in(second.text) == ["Zinnia"]
    assert ">Next<" not in second.text and ">First page<" in second.text

    address = f"{both.partner_side}/{practice.id}"
    everybody = {both.bert.id, both.rosa.id, both.sam.id}
    first = bert.get(address)
    shown = {UUID(each) for each in re.findall(r"shown\.([0-9a-f]{32})", first.text)}
    (other,) = everybody - shown
    kept, let_go = sorted(shown)
    assert save_staff(bert, first, kept).status_code == 303
    assert assigned(make) == {kept, other}, "whoever stands on the other page stays"
    second = bert.get(next_of(first.text))
    assert re.findall(r"shown\.([0-9a-f]{32})", second.text) == [other.hex]
    back = save_staff(bert, second)
    assert back.status_code == 303 and f"after={other.hex}" not in back.location and "after=" in back.location
    assert assigned(make) == {kept}
    assert save_staff(bert, bert.get(address)).status_code == 422, "nobody is not everybody"
    assert save_staff(bert, second, other, nobody_else="yes").status_code == 303
    assert assigned(make) == {other}
    assert save_staff(bert, second, let_go).status_code == 400, "AD-06: nobody who is not on the page"
    assert bert.get(f"{address}?after=%00%C3").status_code == 200, "AD-24"


def save_staff(bert: FlaskClient, page: Any, *people: UUID, **more: str) -> Any:
    return post_form(bert, page, "staff-form", who="these", **more, **{f"person.{each.hex}": "yes" for each in people})


def assigned(make: Any) -> set[UUID]:
    return {row.affiliation_id for row in make.rows(EngagementStaff)}


def names_in(page: str) -> list[str]:
    return re.findall(r'scope="row"><b>([^<]+)', page)


def next_of(page: str) -> str:
    return html.unescape(page.split(">Next<", 1)[0].rsplit('href="', 1)[1].split('"', 1)[0])


def test_AD_02_AD_01_each_side_sees_its_own_and_foreign_ids_do_not_exist(
    pia: FlaskClient, bert: FlaskClient, both: Both, make: Any
) -> None:
    foreign = make.affiliation(make.subject("other.olga"), make.trading_partner("OHTP999999"), registry="ozark")
    elsewhere = make.trading_partner("OHTP777777", registry_name="heartland")
    agree(pia, both)
    assert assign(bert, both, "these", foreign).status_code == 404
    assert bert.get(f"{both.partner_side}/{make.practice().id}").status_code == 404
    assert pia.get(f"{both.practice_side}/{elsewhere.id}").status_code == 404
    assert pia.get(f"/manage/{SECURE}/{both.practice_id}/practices").status_code == 404
    assert bert.get(f"/manage/{EXCHANGE}/{both.partner.id}/partners").status_code == 404
    assert bert.get(both.practice_side).status_code == 404
    unknown = post_form(pia, pia.get(both.practice_side), "find-form", number="OHTP777777")
    assert "No active trading partner" in unknown.text


def test_AD_11_what_changed_meanwhile_is_looked_at_again(pia: FlaskClient, both: Both) -> None:
    agree(pia, both)
    page = pia.get(f"{both.practice_side}/{both.partner.id}")
    agree(pia, both, capped="yes", **{"level.claims.inquiry": "yes"})
    assert post_form(pia, page, "end-form").status_code == 409
    assert post_form(pia, page, "terms-form", capped="no").status_code == 409
    assert [row.levels_cap for row in both.rows()] == [["claims.inquiry"]]


def test_AD_06_what_the_form_has_not_is_refused(pia: FlaskClient, both: Both) -> None:
    wrong: list[tuple[dict[str, str], int]] = [
        ({"starts_on": "2026-03-01"}, 422),
        ({"ends_on": "2026-03-02"}, 422),
        ({"starts_on": "soon"}, 422),
        ({"capped": "yes"}, 422),
        ({"capped": "maybe"}, 400),
        ({"level.root": "yes"}, 400),
        ({"level.admin": "yes", "capped": "yes"}, 400),
    ]
    for typed, status in wrong:
        assert agree(pia, both, **typed).status_code == status, typed
    assert both.rows() == []
