"""What the card offers a newcomer is true: it matches, and who it says decides is there."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from idp.affiliations.models import Affiliation
from idp.demo import people, registering
from idp.demo.card import SHOWN
from idp.demo.cli import DEMO_DATA
from idp.demo.registering import Sample, WrongSamples
from idp.directory import service as directory
from idp.directory.letters.digest import pin_digest
from idp.directory.matching import service as matching
from idp.directory.matching.rules import (
    GroupClaim,
    PartnerClaim,
    PartnerMatch,
    PracticeClaim,
    PracticeMatch,
    PractitionerClaim,
    ProviderMatch,
)
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed
from idp.foundation.database import reading, see_as
from idp.keyring.service import Keyring
from idp.subjects.models import Subject
from tests.demo.ground import DemoHouse

SAMPLES = registering.read(DEMO_DATA / registering.FILE)


def sample(portal: str, way: str, *, decided: bool = False) -> Sample:
    (found,) = (each for each in SAMPLES if each.portal == portal and each.way == way and bool(each.note) is decided)
    return found


def managers(*targets: UUID) -> set[str | None]:
    """Who manages one of these targets now, by user ID."""
    with reading() as tx:
        see_as(tx, everything=True)
        query = (
            select(Subject.user_id)
            .join(Affiliation, Affiliation.subject_id == Subject.id)
            .where(Affiliation.target_id.in_(targets), Affiliation.account_manager, Affiliation.status == "active")
        )
        return set(tx.scalars(query))


def provider_match(each: Sample, now: datetime, **asked: str) -> ProviderMatch:
    with reading() as tx:
        claim = PractitionerClaim(**asked)
        found = matching.match_practitioner(tx, claim, registry="heartland", now=now)
    assert isinstance(found, ProviderMatch), each
    return found


def test_every_portal_has_a_way_in():
    assert {each.portal for each in SAMPLES} == {
        "ozark-exchange", "heartland-selfservice", "carebridge-provider", "cascade-mmis", "ozark-secure",
    }  # fmt: skip


def test_A2_the_trading_partner_matches_and_has_no_account_manager(loaded: DemoHouse):
    each = sample("ozark-exchange", "Trading Partner")
    claim = PartnerClaim(trading_partner_id=each.fields["TPartner Qualifier"], zip_code=each.fields["ZIP Code"])
    with reading() as tx:
        found = matching.match_trading_partner(tx, claim, registry="ozark")
    assert isinstance(found, PartnerMatch)
    assert found.partner.name == each.name
    assert managers(found.partner.id) == set()


def test_B_the_new_provider_matches_and_has_no_administrator(loaded: DemoHouse, now: datetime):
    each = sample("heartland-selfservice", "New provider")
    found = provider_match(each, now, npi=each.fields["NPI"], tin=each.fields["TIN"], zip_code=each.fields["ZIP Code"])
    assert found.provider.name == each.name
    assert managers(found.provider.id, found.provider.practice_id) == set()


def test_B5_the_provider_asked_for_has_the_administrator_that_is_named(loaded: DemoHouse, now: datetime):
    each = sample("heartland-selfservice", "Request access", decided=True)
    with reading() as tx:
        page = directory.search_providers(tx, "heartland", each.fields["NPI"], now=now)
    (found,) = page.providers
    assert (found.name, found.state, found.programs) == (
        each.name,
        each.fields["State"],
        each.fields["Program"].lower(),
    )
    assert managers(found.id, found.practice_id) == {each.note.split()[0]}


def test_C6_the_practitioner_matches_and_has_no_administrator(loaded: DemoHouse, now: datetime):
    each = sample("carebridge-provider", "Practitioner")
    first, last = each.name.split()
    found = provider_match(
        each, now, first_name=first, last_name=last, tin=each.fields["Tax ID"],
        provider_id=each.fields["Provider Number"], zip_code=each.fields["ZIP Code"],
    )  # fmt: skip
    assert managers(found.provider.id, found.provider.practice_id) == set()


@pytest.mark.parametrize("decided", [False, True])
def test_C6_the_groups_match_and_one_has_the_administrator_that_is_named(
    loaded: DemoHouse, now: datetime, decided: bool
):
    each = sample("carebridge-provider", "Group", decided=decided)
    claim = GroupClaim(
        group_name=each.name, tin=each.fields["Tax ID"], provider_id=each.fields["Provider ID"],
        zip_code=each.fields["ZIP Code"],
    )  # fmt: skip
    with reading() as tx:
        found = matching.match_group(tx, claim, registry="heartland", now=now)
    assert isinstance(found, PracticeMatch)
    known = managers(found.practice.id, *(record.id for record in found.records))
    assert known == ({each.note.split()[0]} if decided else set())


def test_D2_the_letter_is_open(loaded: DemoHouse, now: datetime):
    each = sample("cascade-mmis", "PIN letter", decided=True)
    with reading() as tx:
        found = matching.match_letter(tx, each.fields["Login ID"], registry="heartland", now=now)
        assert isinstance(found, ProviderMatch)
        digest = pin_digest(each.fields["PIN"], provider=found.provider.id, key=house.get(Keyring).index)
        assert isinstance(artefacts.peek(tx, kind=Kind.PIN_LETTER, digest=digest, now=now), Redeemed)
    assert found.provider.name == each.name
    assert managers(found.provider.id, found.provider.practice_id) == set()


def test_E0_the_practice_matches_and_its_account_manager_can_verify(loaded: DemoHouse, now: datetime):
    each = sample("ozark-secure", "Practice", decided=True)
    claim = PracticeClaim(tin=each.fields["TIN"], zip_code=each.fields["ZIP Code"])
    with reading() as tx:
        found = matching.match_practice(tx, claim, registry="ozark", now=now)
    assert isinstance(found, PracticeMatch)
    assert found.practice.name == each.name
    assert each.note.split()[0] in managers(found.practice.id)


def test_whoever_is_said_to_decide_is_among_the_demo_s_people():
    named = {word for each in SAMPLES for word in each.note.split() if "." in word}
    assert named <= {person.user_id for person in people.read(DEMO_DATA / "people.toml")}
    assert set(SHOWN) <= {person.user_id for person in people.read(DEMO_DATA / "people.toml")}


@pytest.mark.parametrize("content", ["", "[[registering]]\n", "[[registering]]\nportal = 1\n", "x = ", "people = []\n"])
def test_a_file_that_is_none_stops_the_demo(tmp_path: Path, content: str):
    (tmp_path / "registering.toml").write_text(content)
    with pytest.raises(WrongSamples, match="registering"):
        registering.read(tmp_path / "registering.toml")
