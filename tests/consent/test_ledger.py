"""C10: a new version asks again at the next sign-in, and the ledger says who accepted which words."""

import csv
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.consent import ledger
from idp.consent.cli import agreements
from idp.consent.models import AgreementAcceptance
from idp.foundation.database import writing
from idp.relying_parties import service as relying_parties
from idp.relying_parties import stored
from idp.relying_parties.models import Client
from tests.factories import Make
from tests.factories.manifests import manifest
from tests.sign_in.visiting import ask, come, send, step_of

pytestmark = pytest.mark.both
LEVELS = (("ozark-secure", "admin"),)


def agreement(version: str) -> dict[str, object]:
    return {"version": version, "title": {"en": "Provider agreement", "es": "Acuerdo"}}


@pytest.fixture
def rosa(make: Make):
    make.client(agreement=agreement("1"))
    rosa = make.subject("rosa.delgado", given_name="=Rosa")
    provider = make.provider(registry_name="ozark", legal_name="CEDAR STREET", name_key="cedar street")
    make.affiliation(rosa, provider, registry="ozark", levels=LEVELS)
    return rosa


def publish(version: str, *, words: str) -> None:
    """What `idp relying-parties apply` does with a changed manifest, as far as agreements go."""
    changed = stored.to_row(manifest("ozark-secure", agreement=agreement(version)), client_id="ozark-secure")
    with writing() as tx:
        texts = {f"agreement-{version}.en.md": words}
        row = update(Client).where(Client.client_id == "ozark-secure")
        tx.execute(row.values(manifest=changed, texts=texts, version=Client.version + 1))
        relying_parties.changed(tx)


def test_C10_a_new_version_asks_again_at_the_next_sign_in_and_both_acceptances_stay(
    client: FlaskClient, make: Make, rosa, hands
) -> None:
    assert step_of(send(client, come(client), "agreement-form", accept="yes")) == "code"
    assert step_of(ask(client)) == "code", "the same version is not asked for twice"
    publish("2", words="New words.")
    hands.forward(seconds=2)
    assert step_of(ask(client, prompt="none")) == "interaction_required"
    again = ask(client)
    assert step_of(again) == "agreement"
    assert step_of(send(client, again, "agreement-form", accept="yes")) == "code"
    rows = {row.version: row for row in make.rows(AgreementAcceptance)}
    assert rows.keys() == {"1", "2"}
    assert rows["2"].text_digest == sha256(b"New words.").hexdigest()
    assert rows["1"].text_digest != rows["2"].text_digest


def accepted(make: Make, subject, now, *, portal: str = "ozark-secure", version: str = "1") -> None:
    make._save(
        AgreementAcceptance(
            subject_id=subject.id, client_id=portal, kind="agreement", version=version, text_digest="ab" * 32,
            accepted_at=now, address="192.0.2.7",
        )
    )  # fmt: skip


def run(*arguments: str):
    return CliRunner().invoke(agreements, ["export", *arguments])


def test_C10_the_ledger_says_who_accepted_what_when_and_from_where(make: Make, rosa, now) -> None:
    accepted(make, rosa, now)
    rows = list(csv.DictReader(run().output.splitlines()))
    assert rows == [
        {
            "accepted_at": now.isoformat(),
            "portal": "ozark-secure",
            "kind": "agreement",
            "version": "1",
            "text_digest": "ab" * 32,
            "subject": rosa.id,
            "user_id": "rosa.delgado",
            "email": "rosa.delgado@mail.test",
            "name": "'=Rosa Delgado",
            "address": "192.0.2.7",
        }
    ]


def test_C10_it_is_narrowed_by_portal_and_moment_and_read_in_pages(make: Make, rosa, now, monkeypatch) -> None:
    monkeypatch.setattr(ledger, "PAGE", 2)
    make.client("ozark-other")
    for number in range(5):
        accepted(make, rosa, now + timedelta(days=number), version=str(number))
    accepted(make, rosa, now, portal="ozark-other")
    everything = [json.loads(line) for line in run("--json").output.splitlines()]
    assert len(everything) == 6
    assert sorted(entry["version"] for entry in everything) == sorted("012341")
    assert len(run("--json", "--portal", "ozark-other").output.splitlines()) == 1
    assert len(run("--json", "--since", (now + timedelta(days=3)).date().isoformat()).output.splitlines()) == 2
    unknown = run("--portal", "nowhere")
    assert (unknown.exit_code, "There is no portal nowhere." in unknown.output) == (2, True)
