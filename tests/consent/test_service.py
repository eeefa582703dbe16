"""Agreements accepted, consents remembered and taken back (X3, C10)."""

from datetime import datetime
from hashlib import sha256

import pytest

from idp.audit.models import AuditEvent
from idp.consent import service
from idp.consent.models import AgreementAcceptance, Consent, Grant
from idp.consent.rules import Kind, Text
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from tests.factories import Make

pytestmark = pytest.mark.both
HERE = Origin(address="192.0.2.7", request_id="r")
WORDS = {"en": "Use it well.", "es": "Úselo bien."}


def portal(make: Make, **changed: object) -> RelyingParty:
    texts = {
        "banner": {"version": "3", "text": WORDS, "must_accept": True},
        "sign_in": {"terms": {"version": "1", "title": WORDS}},
        "agreement": {"version": "2", "title": WORDS},
    }
    make.client("ozark-secure", **(texts | changed))
    party = relying_parties.find("ozark-secure")
    assert party is not None
    return party


def test_texts_are_shown_banner_first_then_terms_then_agreement(make: Make) -> None:
    assert service.agreements_of(portal(make)) == (
        Text(Kind.BANNER, "3"), Text(Kind.TERMS, "1"), Text(Kind.AGREEMENT, "2"),
    )  # fmt: skip


def test_a_banner_that_is_only_shown_is_not_asked_for(make: Make) -> None:
    party = portal(make, banner={"version": "3", "text": WORDS, "must_accept": False}, agreement=None)
    assert service.agreements_of(party) == (Text(Kind.TERMS, "1"),)


def test_C10_an_acceptance_keeps_which_words_when_and_from_where(make: Make, now: datetime) -> None:
    party, subject, text = portal(make), make.subject(), Text(Kind.BANNER, "3")
    with writing() as tx:
        assert service.accept(tx, subject_id=subject.id, party=party, text=text, now=now, origin=HERE)
        assert not service.accept(tx, subject_id=subject.id, party=party, text=text, now=now, origin=HERE)
    (row,) = make.rows(AgreementAcceptance)
    assert (row.kind, row.version, row.accepted_at, row.address) == ("banner", "3", now, "192.0.2.7")
    assert row.text_digest == sha256(WORDS["en"].encode()).hexdigest()
    assert [event.type for event in make.rows(AuditEvent)] == ["agreement_accepted"]


def test_a_new_version_is_asked_again_and_another_person_is_not_meant(make: Make, now: datetime) -> None:
    party, her, him = portal(make), make.subject(), make.subject()
    with writing() as tx:
        service.accept(tx, subject_id=her.id, party=party, text=Text(Kind.TERMS, "1"), now=now, origin=HERE)
    with reading() as tx:
        accepted = service.accepted_by(tx, subject_id=her.id, client_id=party.client_id)
        assert accepted == {Text(Kind.TERMS, "1")}
        assert Text(Kind.TERMS, "2") not in accepted
        assert service.accepted_by(tx, subject_id=him.id, client_id=party.client_id) == frozenset()
        assert service.accepted_by(tx, subject_id=her.id, client_id="other") == frozenset()


def test_declining_is_noted_and_accepts_nothing(make: Make, now: datetime) -> None:
    party, subject = portal(make), make.subject()
    with writing() as tx:
        service.audit_declined(tx, subject_id=subject.id, party=party, text=Text(Kind.TERMS, "1"), now=now, origin=HERE)
    assert make.rows(AgreementAcceptance) == []
    assert [event.type for event in make.rows(AuditEvent)] == ["agreement_declined"]


def test_a_consent_is_for_one_app_one_person_and_one_affiliation(make: Make, now: datetime) -> None:
    make.client("app")
    make.client("other-app")
    her, him = make.subject(), make.subject()
    affiliation = make.affiliation(her, make.provider())
    with writing() as tx:
        service.remember(
            tx, subject_id=her.id, client_id="app", affiliation_id=affiliation.id, scopes={"tin"}, now=now, origin=HERE
        )
        service.remember(
            tx, subject_id=her.id, client_id="app", affiliation_id=affiliation.id, scopes={"tin", "email"}, now=now,
            origin=HERE,
        )  # fmt: skip
    with reading() as tx:
        asked = {"subject_id": her.id, "client_id": "app", "affiliation_id": affiliation.id}
        assert service.remembered(tx, **asked) == {"tin", "email"}
        for different in ({"subject_id": him.id}, {"client_id": "other-app"}, {"affiliation_id": None}):
            assert service.remembered(tx, **(asked | different)) == frozenset()
    assert sorted(row.scopes for row in make.rows(Consent)) == ["email", "tin"]


def test_taking_it_back_ends_the_apps_grants_and_nobody_elses(make: Make, now: datetime) -> None:
    make.client("app")
    make.client("other-app")
    subject = make.subject()
    session, _ = make.session(subject)
    doomed, kept = make.grant(session, "app"), make.grant(session, "other-app")
    with writing() as tx:
        service.remember(
            tx, subject_id=subject.id, client_id="app", affiliation_id=None, scopes={"email"}, now=now, origin=HERE
        )
        assert service.revoke(tx, subject_id=subject.id, client_id="app", now=now, origin=HERE)
        assert not service.revoke(tx, subject_id=subject.id, client_id="app", now=now, origin=HERE)
        assert service.remembered(tx, subject_id=subject.id, client_id="app", affiliation_id=None) == frozenset()
    assert make.row(Grant, doomed.id).revoked_reason == "consent_revoked"
    assert make.row(Grant, kept.id).revoked_at is None
