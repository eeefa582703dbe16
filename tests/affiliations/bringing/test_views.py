"""*You cannot act here yet*, and what the person has in another registry (MODEL §1, §5)."""

from flask.testing import FlaskClient

from idp.affiliations.models import Affiliation
from tests.affiliations.bringing.test_service import at_ozark
from tests.affiliations.pins.posted import portal
from tests.factories import Make
from tests.sign_in.visiting import ask, come, force, step_of, txn_of


def test_access_elsewhere_is_offered_never_silent_and_taken_by_a_post(client: FlaskClient, make: Make) -> None:
    portal(make)
    at_ozark(make)
    rosa, practice = make.subject("rosa.delgado"), make.practice("981112223")
    there = make.provider("100200300", practice=practice, tin="981112223")
    here = make.provider(
        "OZ77", practice=practice, tin="981112223", registry_name="ozark", legal_name="CEDAR <b>STREET"
    )
    row = make.affiliation(rosa, there, portal="cascade-mmis", levels=(("cascade-mmis", "claims.inquiry"),))
    page = come(client)
    assert step_of(page) == "cannot-act"
    assert "CEDAR &lt;b&gt;STREET" in page.text
    assert "You already act for it at cascade-mmis of the tests." in page.text
    assert len(make.rows(Affiliation)) == 1
    path, key = f"/sign-in/{txn_of(page)}/bring", f"{row.id.hex}.{here.id.hex}"
    for forged in ("", "x", f"{row.id.hex}.-", f"{row.id.hex}.{there.id.hex}", f"{here.id.hex}.{here.id.hex}"):
        answer = force(client, page, path, access=forged)
        assert answer.status_code == 422
        assert "can no longer be used here" in answer.text
    assert len(make.rows(Affiliation)) == 1
    assert force(client, page, path, access=key).status_code == 303
    assert force(client, page, path, access=key).status_code == 303
    assert len(make.rows(Affiliation)) == 2
    assert step_of(ask(client)) == "code"


def test_without_the_manifests_word_nothing_is_offered(client: FlaskClient, make: Make) -> None:
    portal(make)
    at_ozark(make, accepts_evidence_from=[])
    rosa, practice = make.subject("rosa.delgado"), make.practice("981112223")
    there = make.provider("100200300", practice=practice, tin="981112223")
    make.provider("OZ77", practice=practice, tin="981112223", registry_name="ozark")
    make.affiliation(rosa, there, portal="cascade-mmis", levels=(("cascade-mmis", "claims.inquiry"),))
    page = come(client)
    assert step_of(page) == "cannot-act"
    assert "Use it here too" not in page.text
