"""Looking a record up in the console (MODEL §7; ruling 19: no TIN in an address)."""

import re
from datetime import date, datetime
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.console.directory import facts, people
from idp.console.directory.words import PARTS
from idp.directory.imports import altered
from idp.directory.imports.provider_master import _COMPARED
from idp.directory.models import ImportReject, ImportRun, NpiRecord, NpiWord, PinLetter, ProviderWord
from idp.directory.rules import name_key, search_words
from idp.foundation.database import new_id, writing
from idp.foundation.origin import Origin
from tests.authenticators.browsing import post_form, press
from tests.conftest import ISSUER
from tests.console.staff_world import REGISTRAR, enter_as, staff
from tests.factories import Make

pytestmark = pytest.mark.both
TIN = "981234567"


@pytest.fixture
def nora(client: FlaskClient, make: Make) -> FlaskClient:
    make._save(ImportRun(registry_name="heartland", format="provider-master", file_name="providers.csv",
                         started_at=make.now, finished_at=make.now, counts={"read": 3, "added": 2, "rejected": 1}))  # fmt: skip
    return enter_as(client, make, staff(make, REGISTRAR))


def look_up(client: FlaskClient, text: str, registry: str = "heartland") -> TestResponse:
    return post_form(client, client.get("/console/directory"), "look-up-form", text=text, registry=registry)


def looks(make: Make, kind: str) -> list[AuditEvent]:
    """What the audit tells of those who looked."""
    return [row for row in make.rows(AuditEvent) if row.type == kind]


def named(make: Make, name: str, **changed: object) -> object:
    row = make.provider(legal_name=name, name_key=name_key(name), **changed)
    for word in search_words(name):
        make._save(ProviderWord(registry_name="heartland", word=word, provider_id=row.id, name_key=name_key(name),
                                state="MO", number=row.provider_id))  # fmt: skip
    return row


def test_a_provider_is_found_by_number_npi_or_name_even_when_it_ended(nora: FlaskClient, make: Make) -> None:
    row = named(make, "WHITMORE, ADA", status="terminated", end_date=date(2024, 1, 1))
    for text in (row.provider_id, row.npi, "whitmore"):  # type: ignore[attr-defined]
        page = look_up(nora, text)
        assert f"/console/directory/providers/{row.id}" in page.text, text  # type: ignore[attr-defined]
        assert "Ended" in page.text
    record = nora.get(f"/console/directory/providers/{row.id}")  # type: ignore[attr-defined]
    assert "WHITMORE, ADA" in record.text and "Jan 1, 2024" in record.text


def test_ruling_19_a_whole_tin_finds_the_practice_and_stands_in_no_address_and_no_page(
    nora: FlaskClient, make: Make
) -> None:
    practice = make.practice(TIN)
    make.provider(practice=practice, tin=TIN)
    for typed in (TIN, "98-1234567"):
        page = look_up(nora, typed)
        assert page.status_code == 200
        assert page.request.path == "/console/directory" and not page.request.query_string
        assert f"/console/directory/practices/{practice.id}" in page.text
    record = nora.get(f"/console/directory/practices/{practice.id}").text
    assert "**-***4567" in record
    assert TIN not in record and "98-1234567" not in record
    assert nora.get(f"/console/directory?text={TIN}").text.count(TIN) <= 1  # the language form's way back alone


def test_a_trading_partner_is_found_by_number_or_name_and_wildcards_are_plain(nora: FlaskClient, make: Make) -> None:
    partner = make.trading_partner("TP77", registry_name="heartland", name="Lantern 100% Billing")
    make.trading_partner("TP78", registry_name="heartland", name="Harbor Claims")
    practice = make.practice()
    make.provider(practice=practice)
    make.engagement(partner, practice)
    for text in ("tp77", "lantern", "100%"):
        page = look_up(nora, text)
        assert f"/console/directory/partners/{partner.id}" in page.text, text
        assert "Harbor Claims" not in page.text
    assert "Harbor Claims" not in look_up(nora, "%%%").text
    assert practice.name in nora.get(f"/console/directory/partners/{partner.id}").text


def test_letters_show_their_dates_and_nothing_of_a_pin(nora: FlaskClient, make: Make) -> None:
    row = make.provider()
    make._save(
        PinLetter(provider_id=row.id, artefact_id=uuid4(), issued_on=date(2026, 2, 20), expires_on=date(2026, 3, 13))
    )
    page = nora.get(f"/console/directory/providers/{row.id}").text
    assert "Feb 20, 2026" in page and "Not used yet" in page


def test_imports_show_their_counts_and_why_lines_were_refused(nora: FlaskClient, make: Make) -> None:
    (run,) = make.rows(ImportRun)
    make._save(ImportReject(run_id=run.id, number=1, line=7, key="", reasons=["npi", "@Entry 12, Practitioner/a.1"]))
    assert "providers.csv" in nora.get("/console/directory/imports").text
    page = nora.get(f"/console/directory/imports/{run.id}").text
    assert "Entry 12, Practitioner/a.1: An NPI has 10 digits and a right check digit." in page
    assert ">7<" in page
    assert "refused lines are kept" not in page


def test_imports_say_how_they_ended_and_where(nora: FlaskClient, make: Make) -> None:
    assert "Finished; how was not kept" in nora.get("/console/directory/imports").text
    for line, (outcome, words) in enumerate((
        ("completed", "Done"), ("bad_file", "Bad file"), ("declined", "Nothing ended"), ("interrupted", "Interrupted"),
        ("failed", "Failed"), (None, "Not finished"),
    ), 31):  # fmt: skip
        stopped = line if outcome in ("bad_file", "interrupted", "failed") else None
        run = ImportRun(id=new_id(), registry_name="*", format="nppes", file_name=f"{outcome}.csv", started_at=make.now,
                        finished_at=outcome and make.now, outcome=outcome, stopped_line=stopped, counts={})  # fmt: skip
        make._save(run)
        for page in (
            nora.get("/console/directory/imports").text,
            nora.get(f"/console/directory/imports/{run.id}").text,
        ):
            assert f"{words}</span>" in page, outcome
            assert (f"stopped at line {line}" in page) is (stopped is not None), outcome


def test_refused_lines_are_paged_and_beyond_a_million_not_kept(nora: FlaskClient, make: Make) -> None:
    run = ImportRun(id=(run_id := new_id()), registry_name="*", format="fhir", file_name="n.json", started_at=make.now,
                    counts={"rejected": 1_000_001})  # fmt: skip
    make._save(
        run, *(ImportReject(run_id=run_id, number=n, line=1, key=f"k{n}", reasons=["npi"]) for n in range(1, 102))
    )
    page = nora.get(f"/console/directory/imports/{run_id}").text
    assert "first 1000000 refused lines are kept" in page
    assert (">k100<" in page, ">k101<" in page, "Up to number 100 of 1000001" in page) == (True, False, True)
    page = nora.get(f"/console/directory/imports/{run_id}?after=100").text
    assert (">k100<" in page, ">k101<" in page, "?after=101" in page) == (False, True, False)
    assert ">k1<" in nora.get(f"/console/directory/imports/{run_id}?after=9999999999999999999").text
    page = nora.get(f"/console/directory/imports/{run_id}")
    assert len(press(nora, page, f"/console/directory/imports/{run_id}/rejects.csv").text.splitlines()) == 102


@pytest.mark.parametrize("kind", ["providers", "practices", "partners", "imports"])
def test_an_unknown_record_is_a_404(nora: FlaskClient, kind: str) -> None:
    assert nora.get(f"/console/directory/{kind}/{uuid4()}").status_code == 404


def test_AD_06_the_look_up_is_strict(nora: FlaskClient) -> None:
    page = nora.get("/console/directory")
    assert post_form(nora, page, "look-up-form", text="x", registry="heartland", limit="9").status_code == 400
    assert post_form(nora, page, "look-up-form", text="", registry="heartland").status_code == 422
    assert post_form(nora, page, "look-up-form", text="x" * 201, registry="heartland").status_code == 422
    assert post_form(nora, page, "look-up-form", text="abc", registry="nowhere").status_code == 200


def test_refused_lines_leave_as_a_file_that_no_spreadsheet_runs(nora: FlaskClient, make: Make) -> None:
    (run,) = make.rows(ImportRun)
    make._save(ImportReject(run_id=run.id, number=1, line=7, key="=1+1", reasons=["npi", "@Entry 3"]))
    page, address = nora.get(f"/console/directory/imports/{run.id}"), f"/console/directory/imports/{run.id}/rejects.csv"
    answer = press(nora, page, address)
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1].startswith("7,'=1+1,npi,Entry 3: An NPI")
    (event,) = looks(make, "rejects_exported")
    assert (event.target_id, event.details["rejected"]) == (str(run.id), 1)
    assert nora.get(address).status_code == 405
    csrf = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    unknown = nora.post(
        address.replace(str(run.id), str(uuid4())), data={"csrf_token": csrf}, headers={"Origin": ISSUER}
    )
    assert unknown.status_code == 404


def npi_of(make: Make, npi: str, name: str, state: str = "MO", source: str = "nppes") -> None:
    """What NPPES or another source says of an NPI that no roster names."""
    row = NpiRecord(npi=npi, source=source, entity="individual", name=name, name_key=name_key(name), state=state,
                    zip_code="65801", status="active", digest=bytes(16), imported_at=make.now)  # fmt: skip
    make._save(row, *(NpiWord(word=word, name_key=row.name_key, npi=npi, source=source, state=state)
                      for word in search_words(name)))  # fmt: skip


def test_npi_records_are_searched_by_name_number_and_state_and_have_a_page(nora: FlaskClient, make: Make) -> None:
    for at in range(26):
        npi_of(make, f"{1000000000 + at}", f"HOLLOWAY {chr(65 + at)}{chr(65 + at)}")
    npi_of(make, "1999999999", "HOLLOWAY ZZZ", state="KS")
    asked = {"registry": "heartland", "kind": "npi", "state": "mo"}
    page = post_form(nora, nora.get("/console/directory"), "look-up-form", text="holloway", **asked)
    assert "HOLLOWAY YY" in page.text and "HOLLOWAY ZZ" not in page.text
    page = post_form(nora, page, "next-records")
    assert "HOLLOWAY ZZ<" in page.text and "HOLLOWAY YY" not in page.text and "HOLLOWAY ZZZ" not in page.text
    assert "next-records" not in page.text
    page = post_form(nora, page, "look-up-form", text="1999999999", registry="heartland", kind="npi")
    assert "/console/directory/npis/1999999999" in page.text
    record = nora.get("/console/directory/npis/1999999999").text
    assert "HOLLOWAY ZZZ" in record and "No payer’s file names this NPI." in record
    assert "Last changed" in record and 'id="history"' not in record


def test_an_npi_that_no_roster_names_has_a_history_of_its_standing(nora: FlaskClient, make: Make) -> None:
    npi_of(make, "1999999999", "HOLLOWAY ZZZ")
    npi_of(make, "1999999999", "HOLLOWAY ZZZ", source="fhir:ozark")
    page = post_form(
        nora, nora.get("/console/directory"), "look-up-form", text="holloway", registry="heartland", kind="npi"
    )
    assert (
        page.text.count('href="/console/directory/npis/1999999999"') == 1
        and "NPPES; FHIR directory, ozark" in page.text
    )
    for number in range(27):
        details = {"source": "fhir:ozark", "changed": ["status"], "status": f"active → left{number:02}"}
        with writing() as tx:
            audit.append(tx, Event.NPI_RECORD_CHANGED, now=make.now, actor="system", origin=Origin.local("test"),
                         target_kind="npi", target_id="1999999999", details=details)  # fmt: skip
    page = nora.get("/console/directory/npis/1999999999").text
    assert "FHIR directory, ozark; Status: active → left26" in page and "left01" not in page
    assert 'id="said-fhir:ozark">FHIR directory, ozark' in page
    (older,) = re.findall(r'"(/console/directory/npis/1999999999\?before=[0-9]+)"', page)
    assert "left01" in nora.get(older).text


def test_a_page_of_the_look_up_is_of_one_list_and_partners_go_on_by_name(nora: FlaskClient, make: Make) -> None:
    for at in range(27):
        make.trading_partner(f"TP{at:02}", registry_name="heartland", name=f"Lantern {at:02} 100% Billing")
    page = look_up(nora, "lantern")
    assert "Lantern 24" in page.text and "Lantern 25" not in page.text
    page = post_form(nora, page, "next-partners")
    assert "Lantern 24" not in page.text and "Lantern 26" in page.text and "next-partners" not in page.text


def test_records_are_narrowed_by_state_and_program(nora: FlaskClient, make: Make) -> None:
    row = named(make, "WHITMORE, ADA", programs="medicaid", state="MO")
    address = f"/console/directory/providers/{row.id}"  # type: ignore[attr-defined]
    empty = nora.get("/console/directory")
    for state, program, there in (("mo", "medicaid", True), ("KS", "", False), ("", "medicare", False), ("", "", True)):
        for text in ("whitmore", row.npi):  # type: ignore[attr-defined]
            page = post_form(nora, empty, "look-up-form", text=text, registry="heartland", state=state, program=program)
            assert (address in page.text) is there, (state, program, text)
    for wrong in ({"state": "M1"}, {"program": "all"}, {"kind": "all"}):
        sent = {"text": "x", "registry": "heartland"} | wrong
        assert post_form(nora, empty, "look-up-form", **sent).status_code == 422


def test_AU_who_looks_for_a_tin_is_audited_whatever_they_find_and_the_number_is_not(
    nora: FlaskClient, make: Make
) -> None:
    practice = make.practice(TIN)
    make.provider(practice=practice, tin=TIN)
    for text in ("HALVORSEN", "12345678", TIN, "98-1234567", "981234568"):
        look_up(nora, text)
    empty = nora.get("/console/directory")
    for more in ({"of": "partners"}, {"kind": "npi"}, {"registry": "nowhere"}):
        post_form(nora, empty, "look-up-form", **{"text": TIN, "registry": "heartland"} | more)
    told = looks(make, "tin_looked_for")
    assert sorted((each.target_id or "", each.details["found"]) for each in told) == [
        ("", 0), (str(practice.id), 1), (str(practice.id), 1),
    ]  # fmt: skip
    assert {each.actor.split(":")[0] for each in told} == {"staff"}
    assert not any("8123456" in str(each.details) for each in told)


def test_a_whole_tin_finds_a_members_own_and_every_record_of_an_npi_is_shown(nora: FlaskClient, make: Make) -> None:
    group = make.practice("771234567")
    member = make.provider(practice=group, tin=TIN, legal_name="OWN, TIN")
    page = look_up(nora, TIN).text
    assert f"/console/directory/providers/{member.id}" in page
    assert "Practice with this Tax ID" not in page and f'value="{TIN}"' in page
    elsewhere = make.provider(npi=member.npi, registry_name="ozark", practice=group)
    for address in (f"/console/directory/providers/{member.id}", f"/console/directory/npis/{member.npi}"):
        page = nora.get(address).text
        assert f"/console/directory/providers/{elsewhere.id}" in page and "ozark" in page
    assert nora.get("/console/directory/npis/1999999992").status_code == 404


def test_the_history_goes_on_before_its_last_event(nora: FlaskClient, make: Make, now: datetime) -> None:
    row, changed = make.provider(), sorted({part for name in _COMPARED for part in altered.parts([name])})
    assert set(changed) <= set(PARTS)
    with writing() as tx:
        for at in range(27):
            details = {"registry": "heartland", "number": row.provider_id, "changed": [f"change-{at:02}", *changed],
                       "programs": "both → medicare", "ends": "none → 2026-03-01", "status": "active"}  # fmt: skip
            audit.append(tx, Event.PROVIDER_CHANGED, now=now, actor="system", origin=Origin.local("test"),
                         target_kind="provider", target_id=row.id, details=details)  # fmt: skip
    address = f"/console/directory/providers/{row.id}"
    page = nora.get(address).text
    assert "change-26" in page and "change-02" in page and "change-01" not in page
    assert "<b>Record changed</b>" in page
    assert (
        "change-26; Ends: none → 2026-03-01; Name; NPI; NPI status; Programs: Medicaid and Medicare → Medicare; State; Status;"
        " Tax ID; Kind of Tax ID; Type; ZIP Codes<"
    ) in page
    (older,) = re.findall(rf'"({address}\?before=[0-9]+)"', page)
    page = nora.get(older).text
    assert "change-01" in page and "change-00" in page and "change-02" not in page
    assert f'href="{address}"' in page and "before=" not in page.split('id="history"')[1].split("</section>")[0]
    assert "change-26" in nora.get(f"{address}?before=x").text
    assert "Nothing older." in nora.get(f"{address}?before=1").text


def _walked(client: FlaskClient, address: str) -> str:
    """All pages of a record, one after the other; none twice."""
    text, seen = "", set()
    while address:
        assert address not in seen
        seen.add(address)
        page = client.get(address).text
        text += page
        following = re.search(r'href="([^"]+)"[^>]*>(?:<[^>]+>)?Next', page)
        address = following[1].replace("&amp;", "&") if following else ""
    return text


def test_AD_24_a_record_s_people_are_paged_managers_first_and_found_by_words(
    nora: FlaskClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "A_PAGE", 2)
    row = make.provider()
    for number in range(5):
        person = make.subject(f"per.{number}", given_name="Per%", family_name=f"Son{number}", password=None)
        make.affiliation(person, row, account_manager=number in (3, 4))
    address = f"/console/directory/providers/{row.id}"
    text = _walked(nora, address)
    places = [text.index(f"Per% Son{number}<") for number in (3, 4, 0, 1, 2)]
    assert places == sorted(places)
    assert all(text.count(f"Per% Son{number}<") == 1 for number in range(5))
    assert all(f"Per% Son{number}<" in _walked(nora, f"{address}?person=per%25") for number in range(5))
    found = nora.get(f"{address}?person=son2").text
    assert "Per% Son2<" in found and "Per% Son1<" not in found
    for wild in ("%25", "_", "%5C", "er"):
        assert "Per% Son" not in nora.get(f"{address}?person={wild}").text, "AD-18"
    assert nora.get(f"{address}?people={'x' * 400}&after=%00").status_code == 200


def test_AD_24_a_record_s_letters_a_practice_s_and_an_npi_s_records_and_a_partner_s_practices_are_paged(
    nora: FlaskClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "SHOWN", 2)
    monkeypatch.setattr(facts, "MOST_PROVIDERS", 2)
    practice, partner = make.practice(TIN), make.trading_partner()
    rows = [make.provider(practice=practice, tin=TIN) for _ in range(5)]
    for _ in range(5):
        other = make.practice(name="ONE NAME OF SEVERAL")
        make.provider(practice=other, registry_name=partner.registry_name)
        make.engagement(partner, other)
        make._save(PinLetter(provider_id=rows[0].id, artefact_id=uuid4(), issued_on=date(2026, 2, 20),
                             expires_on=date(2026, 3, 13)))  # fmt: skip
    text = _walked(nora, f"/console/directory/practices/{practice.id}")
    assert all(row.provider_id in text for row in rows)
    assert _walked(nora, f"/console/directory/providers/{rows[0].id}").count("Not used yet") == 5
    assert _walked(nora, f"/console/directory/partners/{partner.id}").count("ONE NAME OF SEVERAL") == 5
    assert (
        f'href="/console/directory/npis/{rows[0].npi}"' in nora.get(f"/console/directory/providers/{rows[0].id}").text
    )
    text = _walked(nora, f"/console/directory/npis/{rows[0].npi}")
    assert [text.count(f"/console/directory/providers/{row.id}") for row in rows] == [1] * 5
    assert nora.get(f"/console/directory/practices/{practice.id}?after=2026-01-01zz").status_code == 200
