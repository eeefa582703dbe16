"""*Choose* and *you cannot act here yet* in a browser (MODEL §5)."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.consent.models import Grant
from idp.directory.models import Provider
from idp.directory.rules import name_key
from idp.foundation.database import see_as, writing
from idp.sessions.models import Transaction
from idp.subjects.models import Subject
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import ask, come, force, send, step_of, txn_of

LEVELS = (("ozark-secure", "admin"),)


def affiliate(make: Make, subject: Subject, name: str, **changed: Any) -> tuple[Affiliation, Provider]:
    provider = make.provider(registry_name="ozark", legal_name=name, name_key=name_key(name))
    values = {"registry": "ozark", "levels": LEVELS} | changed
    return make.affiliation(subject, provider, **values), provider


@pytest.fixture
def marcus(make: Make) -> Subject:
    """Acts for sixteen providers, two of which he cannot use now."""
    make.client()
    marcus = make.subject("rosa.delgado")
    for number in range(16):
        long_ago = make.now - timedelta(days=60)
        affiliate(make, marcus, f"CLINIC {number:02}", last_used_at=long_ago, activated_at=long_ago)
    affiliate(make, marcus, "WAITING CLINIC", status="verification_pending")
    affiliate(make, marcus, "DORMANT CLINIC", last_used_at=make.now - timedelta(days=90), activated_at=None)
    return marcus


def shown(text: str) -> list[str]:
    return [part.split('"', 1)[0] for part in text.split('name="choice" value="')[1:]]


def test_many_are_a_page_long_searchable_and_all_on_demand(client: FlaskClient, marcus: Subject) -> None:
    page = come(client)
    assert step_of(page) == "choose"
    assert len(shown(page.text)) == 10
    assert "Show 6 more" in page.text
    path = f"/sign-in/{txn_of(page)}/choose"
    assert len(shown(client.get(f"{path}?all=yes").text)) == 16
    found = client.get(path, query_string={"q": "clinic 07"})
    assert len(shown(found.text)) == 1
    nobody = client.get(path, query_string={"q": "<script>alert(1)</script>"})
    assert len(shown(nobody.text)) == 0
    assert "<script>alert(1)" not in nobody.text
    assert "choose-submit" in found.text
    assert "choose-submit" not in nobody.text, "nothing to be chosen, no button that chooses"


@pytest.mark.parametrize("search", ["%", "_", "\x00", "\udcff", "x" * 500, "é"])
def test_AD_18_ST_03_odd_searches_find_nobody_and_break_nothing(
    client: FlaskClient, marcus: Subject, search: str
) -> None:
    page = come(client)
    answer = client.get(f"/sign-in/{txn_of(page)}/choose", query_string={"q": search.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200


def test_what_cannot_be_used_stands_below_with_who_can_change_it(client: FlaskClient, marcus: Subject) -> None:
    page = come(client)
    assert "2 you cannot act for now" in page.text
    assert "WAITING CLINIC" in page.text
    assert "Waiting to be verified by an account manager" in page.text
    assert "Not used for 90 days" in page.text


def test_badges_tell_the_last_use_and_a_near_end(client: FlaskClient, make: Make, marcus: Subject) -> None:
    affiliate(make, marcus, "USED TODAY", last_used_at=make.now)
    affiliate(make, marcus, "ENDING SOON", ends_at=make.now + timedelta(days=9, hours=1))
    page = come(client)
    assert "Last used today" in page.text
    ending = client.get(f"/sign-in/{txn_of(page)}/choose?q=ending")
    assert "Ends in 9 days" in ending.text


@pytest.mark.both
def test_a_choice_is_kept_audited_and_used(client: FlaskClient, make: Make, marcus: Subject) -> None:
    page = come(client)
    key = shown(page.text)[3]
    assert step_of(send(client, page, "choose-form", choice=key)) == "code"
    (grant,) = make.rows(Grant)
    assert grant.affiliation_id is not None
    assert key.startswith(grant.affiliation_id.hex)
    assert make.row(Affiliation, grant.affiliation_id).last_used_at == make.now
    assert "affiliation_chosen" in [event.type for event in make.rows(AuditEvent)]
    assert step_of(ask(client)) == "code"
    assert step_of(ask(client, prompt="none")) == "code"
    assert step_of(ask(client, prompt="select_account")) == "choose"


def test_a_page_says_who_is_signed_in_and_a_way_out(client: FlaskClient, marcus: Subject) -> None:
    page = come(client)
    assert "Rosa Delgado" in page.text
    assert "not-you" in page.text


@pytest.mark.parametrize("what", ["", "x", "somebody else's", "blocked", "twice"])
def test_AD_24_a_forged_choice_is_as_if_it_did_not_exist(
    client: FlaskClient, make: Make, marcus: Subject, what: str
) -> None:
    page = come(client)
    key = what
    if what == "somebody else's":
        row, provider = affiliate(make, make.subject("ines.okoro"), "HERS")
        key = f"{row.id.hex}.{provider.id.hex}"
    if what == "blocked":
        row = next(row for row in make.rows(Affiliation) if row.status == "verification_pending")
        key = f"{row.id.hex}.{row.target_id.hex}"
    if what == "twice":
        row = next(row for row in make.rows(Affiliation) if row.status == "active")
        other = make.provider(registry_name="ozark")
        key = f"{row.id.hex}.{other.id.hex}"
    answer = force(client, page, f"/sign-in/{txn_of(page)}/choose", choice=key)
    assert answer.status_code == 422
    assert "Choose one of these." in answer.text
    assert make.rows(Transaction)[0].chosen_at is None


def test_cancelling_tells_the_portal(client: FlaskClient, marcus: Subject) -> None:
    assert step_of(send(client, come(client), "choose-form", cancel="yes")) == "access_denied"


def test_an_affiliation_that_ends_while_the_page_is_open_is_no_choice(
    client: FlaskClient, make: Make, marcus: Subject
) -> None:
    page = come(client)
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).values(status="disabled", disabled_by="manager", epoch=2))
    answer = force(client, page, f"/sign-in/{txn_of(page)}/choose", choice=shown(page.text)[0])
    assert answer.status_code == 422


def test_chosen_and_then_ended_before_the_code_is_asked_again(client: FlaskClient, make: Make, marcus: Subject) -> None:
    page = come(client)
    force(client, page, f"/sign-in/{txn_of(page)}/choose", choice=shown(page.text)[0])
    chosen = make.rows(Transaction)[0].affiliation_id
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == chosen).values(status="ended"))
    again = client.get(f"/sign-in/{txn_of(page)}", follow_redirects=True)
    assert step_of(again) == "choose"


@pytest.mark.both
def test_a_practice_of_more_than_200_providers_is_searched(client: FlaskClient, make: Make) -> None:
    make.client()
    june, practice = make.subject("rosa.delgado"), make.practice()
    rows = []
    for number in range(230):
        name = f"MEMBER {number:03}"
        rows.append(make.provider(registry_name="ozark", practice=practice, legal_name=name, name_key=name_key(name)))
    make.affiliation(june, practice, registry="ozark", levels=(("ozark-exchange", "admin"),))
    make.client("ozark-exchange", portal={"acting_for": ["provider"]})
    page = come(client, client_id="ozark-exchange")
    assert "There are more than fit here" in page.text
    found = client.get(f"/sign-in/{txn_of(page)}/choose?q=member+229")
    (key,) = shown(found.text)
    assert step_of(send(client, found, "choose-form", choice=key)) == "code"
    assert make.rows(Grant)[0].provider_id == rows[229].id
    assert step_of(ask(client, "ozark-exchange", prompt="none")) == "code"


def test_a_practice_as_a_whole_is_silent_and_searching_keeps_its_group_record(client: FlaskClient, make: Make) -> None:
    make.client()
    june, practice = make.subject("rosa.delgado"), make.practice(name="JUNIPER RIDGE CLINIC")
    group = make.group(registry_name="ozark", practice=practice, name="HOLDINGS GROUP")
    make.provider(registry_name="ozark", practice=practice)
    make.affiliation(june, practice, registry="ozark", levels=LEVELS)
    assert step_of(come(client)) == "code"
    assert make.rows(Grant)[0].provider_id == group.id
    page = ask(client, prompt="select_account")
    found = client.get(f"/sign-in/{txn_of(page)}/choose?q=juniper")
    (key,) = shown(found.text)
    assert step_of(send(client, found, "choose-form", choice=key)) == "code"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "verification_pending"}, "Waiting to be verified by an account manager"),
        ({"status": "unverified"}, "Open the link in your registration e-mail"),
        ({"status": "disabled", "disabled_by": "manager"}, "Disabled by an account manager"),
        ({"status": "disabled", "disabled_by": "payer"}, "Disabled by the payer"),
        ({"ends_at": 0}, "Ended."),
        ({"starts_at": 1}, "Has not started yet"),
        ({"evidence": "self"}, "stronger proof"),
        ({"levels": ()}, "No access level"),
        ({"registry": "heartland"}, "Does not apply at this portal"),
    ],
)
def test_cannot_act_says_each_state_and_who_can_change_it(
    client: FlaskClient, make: Make, changed: dict[str, Any], words: str
) -> None:
    make.client()
    for name in ("ends_at", "starts_at"):
        if name in changed:
            changed = changed | {name: make.now + timedelta(days=changed[name])}
    affiliate(make, make.subject("rosa.delgado"), "CEDAR STREET", **changed)
    page = come(client)
    assert step_of(page) == "cannot-act"
    assert "CEDAR STREET" in page.text
    assert words in page.text
    assert step_of(send(client, page, "go-back-form")) == "access_denied"


def test_cannot_act_without_anything_says_so_and_is_silent_to_prompt_none(client: FlaskClient, make: Make) -> None:
    make.client()
    make.subject("rosa.delgado")
    page = come(client)
    assert "not linked to any provider" in page.text
    assert step_of(ask(client, prompt="none")) == "interaction_required"


def test_AD_14_a_manager_takes_it_away_and_the_next_visit_cannot_act(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    make.client()
    affiliate(make, make.subject("rosa.delgado"), "CEDAR STREET")
    assert step_of(come(client)) == "code"
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).values(status="disabled", disabled_by="manager", epoch=2))
    assert step_of(ask(client, prompt="none")) == "interaction_required"
    assert step_of(ask(client)) == "cannot-act"
