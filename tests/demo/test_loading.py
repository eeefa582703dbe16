"""Loading the demo: what is promised of its people holds once they are loaded, and loading again changes nothing."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from idp.affiliations import service as affiliations
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.password import facts as passwords
from idp.authenticators.password import rules as password_rules
from idp.authenticators.site_key import service as site_keys
from idp.consent import service as consent
from idp.consent.rules import Kind
from idp.demo import clients, loading, people
from idp.demo.cli import DEMO_DATA, MANIFESTS
from idp.demo.people import DemoPerson, DemoSiteKey, WrongPeople
from idp.foundation.database import reading, see_as
from idp.relying_parties import service as relying_parties
from idp.subjects import service as subjects
from idp.subjects.claims import PROFILE_CLAIMS
from tests.demo.ground import DemoHouse

PORTALS = [client_id for client_id in clients.PORTS if client_id != clients.PARTNER]


@pytest.fixture
def everybody() -> tuple[DemoPerson, ...]:
    return people.read(DEMO_DATA / "people.toml")


def choices(user_id: str, now: datetime) -> dict[str, int]:
    """How many ways to act there are for somebody, by portal."""
    with reading() as tx:
        subject = subjects.find_by_login(tx, key=user_id)
        assert subject is not None
        found = {}
        for client_id in PORTALS:
            party = relying_parties.find(client_id)
            assert party is not None
            terms = affiliations.terms_of(party)
            assert terms is not None
            found[client_id] = len(affiliations.choices_at(tx, subject_id=subject.id, terms=terms, now=now))
    return found


def state() -> list[object]:
    with reading() as tx:
        see_as(tx, everything=True)
        affiliation = select(Affiliation.id, Affiliation.version, Affiliation.last_used_at).order_by(Affiliation.id)
        return [tuple(row) for row in tx.execute(affiliation)] + [
            tx.execute(select(func.count()).select_from(AuditEvent)).scalar_one()
        ]


def test_the_demo_shows_what_it_promises(loaded: DemoHouse, now: datetime):
    assert set(choices("rosa.delgado", now).values()) == {1}
    assert choices("marcus.oyelaran", now)["cascade-mmis"] == 16
    assert choices("june.harwood", now)["carebridge-provider"] >= 2
    for nobody in ("wren.castellano", "amara.nwosu", "helen.macready", "ulrich.stein"):
        assert set(choices(nobody, now).values()) == {0}, nobody


def test_C10_whoever_came_before_has_accepted_and_one_person_has_not(loaded: DemoHouse):
    with reading() as tx:
        everywhere = {"carebridge-provider", "cascade-mmis", "heartland-selfservice", "ozark-secure"}
        for user_id, open_at in (("rosa.delgado", set()), ("june.harwood", everywhere)):
            subject = subjects.find_by_login(tx, key=user_id)
            assert subject is not None
            asked = set()
            for client_id in PORTALS:
                party = relying_parties.find(client_id)
                assert party is not None
                accepted = consent.accepted_by(tx, subject_id=subject.id, client_id=client_id)
                if {text.kind for text in set(consent.agreements_of(party)) - accepted} - {Kind.TERMS}:
                    asked.add(client_id)
            assert asked == open_at, user_id


def test_A6_whoever_acts_at_the_portal_with_site_keys_has_one(loaded: DemoHouse, everybody: tuple[DemoPerson, ...]):
    with reading() as tx:
        for each in everybody:
            subject = subjects.find_by_login(tx, key=each.user_id)
            assert subject is not None
            shown = site_keys.site_key_of(tx, subject_id=subject.id)
            acts_there = any("ozark-exchange" in {*held.evidence, *held.levels} for held in each.affiliations)
            assert (shown is not None) is acts_there, each.user_id
            if shown is not None and each.site_key is not None:
                assert (shown.picture, shown.phrase) == (each.site_key.picture, each.site_key.phrase)


def test_a_site_key_that_cannot_be_is_refused(demo_house: DemoHouse, everybody: tuple[DemoPerson, ...], now: datetime):
    demo_house.apply(now=now)
    loading.load_directory(DEMO_DATA, now=now)
    wrong = everybody[0].model_copy(update={"site_key": DemoSiteKey(picture="dragon", phrase="lemon cake")})
    with pytest.raises(WrongPeople, match="no_picture"):
        loading.load_people((wrong,), now=now)


def test_X2_one_person_has_all_fourteen_profile_claims(loaded: DemoHouse):
    with reading() as tx:
        rosa = subjects.find_by_login(tx, key="rosa.delgado")
        assert rosa is not None
        claims = subjects.profile_claims(rosa)
    assert set(PROFILE_CLAIMS) <= claims.keys()
    assert {"address", "email", "phone_number"} <= claims.keys()


def test_passwords_meet_the_policy_of_every_portal(loaded: DemoHouse, everybody: tuple[DemoPerson, ...]):
    with reading() as tx:
        for each in everybody:
            subject = subjects.find_by_login(tx, key=each.user_id)
            assert subject is not None
            person = passwords.person_of(subject)
            for client_id, policy in passwords.policies().items():
                assert not password_rules.unmet(each.password, policy=policy, person=person), (each.user_id, client_id)


def test_loading_again_changes_nothing(loaded: DemoHouse, everybody: tuple[DemoPerson, ...], now: datetime):
    before = state()
    loaded.apply(now=now)
    assert loading.load_people(everybody, now=now) == 0
    assert state() == before
    assert loading.load_directory(DEMO_DATA, now=now) == 0


def test_a_demo_that_was_left_for_months_is_not_dormant(
    loaded: DemoHouse, everybody: tuple[DemoPerson, ...], now: datetime
):
    later = now + timedelta(days=200)
    assert set(choices("rosa.delgado", later).values()) == {0}
    loading.load_people(everybody, now=later)
    assert set(choices("rosa.delgado", later).values()) == {1}
    assert set(choices("amara.nwosu", later).values()) == {0}


def test_somebody_for_whom_there_is_no_target_is_refused_without_the_whole_number(
    demo_house: DemoHouse, everybody: tuple[DemoPerson, ...], now: datetime
):
    demo_house.apply(now=now)
    with pytest.raises(WrongPeople, match="has no practice"):
        practice = [each for each in everybody if each.user_id == "hugo.ibarra"]
        loading.load_people(tuple(practice), now=now)
    with reading() as tx:
        assert subjects.find_by_login(tx, key="hugo.ibarra") is None


def test_a_refused_row_of_the_demos_files_stops_the_demo(demo_house: DemoHouse, tmp_path: Path, now: datetime):
    folder = tmp_path / "files"
    (folder / "ozark").mkdir(parents=True)
    for name in ("providers.csv", "trading_partners.csv", "pin_letters.csv"):
        content = (DEMO_DATA / "ozark" / name).read_text(encoding="utf-8")
        (folder / "ozark" / name).write_text(content.replace(",AR,", ",QQ,"), encoding="utf-8")
    with pytest.raises(WrongPeople, match="state"):
        loading.load_directory(folder, now=now)


def test_the_manifests_folder_is_where_the_command_looks():
    assert (MANIFESTS / "ozark-secure.toml").is_file()
