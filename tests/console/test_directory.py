"""Looking a record up in the console (MODEL §7; ruling 19: no TIN in an address)."""

from datetime import date
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.directory.models import ImportReject, ImportRun, PinLetter, ProviderWord
from idp.directory.rules import name_key, search_words
from tests.authenticators.browsing import post_form
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
    make._save(ImportReject(run_id=run.id, line=7, key="", reasons=["npi"]))
    assert "providers.csv" in nora.get("/console/directory/imports").text
    page = nora.get(f"/console/directory/imports/{run.id}").text
    assert "An NPI has 10 digits and a right check digit." in page
    assert ">7<" in page


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
    make._save(ImportReject(run_id=run.id, line=7, key="=1+1", reasons=["npi"]))
    assert "rejects.csv" in nora.get(f"/console/directory/imports/{run.id}").text
    answer = nora.get(f"/console/directory/imports/{run.id}/rejects.csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1].startswith("7,'=1+1,npi,")
    assert nora.get(f"/console/directory/imports/{uuid4()}/rejects.csv").status_code == 404
