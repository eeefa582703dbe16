"""The five portals and the partner app as they are delivered (PORTALS, MODEL §3, LOOK)."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from idp.manifests.folder import read_folder
from idp.manifests.rules import Checked, read
from idp.relying_parties.faults import Ground
from idp.relying_parties.rules import RelyingParty

FOLDER = Path(__file__).parents[2] / "clients" / "manifests"
PORTALS = ("ozark-exchange", "heartland-selfservice", "carebridge-provider", "cascade-mmis", "ozark-secure")


@pytest.fixture(scope="module")
def six() -> dict[str, Checked]:
    sources, unread = read_folder(FOLDER)
    checked, wrong = read(sources, ground=Ground(loopback=True))
    assert (unread, wrong) == ((), ())
    return {each.client_id: each for each in checked}


def test_all_six_are_right_in_the_demo_and_none_in_production(six: dict[str, Checked]) -> None:
    assert set(six) == {*PORTALS, "harborline-analytics"}
    _, wrong = read(read_folder(FOLDER)[0], ground=Ground())
    assert {violation.file.removesuffix(".toml") for violation in wrong} == set(six)


@pytest.mark.parametrize(
    ("client_id", "registry", "acting_for", "accepts", "for_manager", "identifier"),
    [
        ("ozark-exchange", "ozark", ("trading_partner",), "directory", "payer", "user_id"),
        ("heartland-selfservice", "heartland", ("provider",), "letter", "payer", "user_id"),
        ("carebridge-provider", "heartland", ("provider", "practice"), "directory", "directory", "email"),
        ("cascade-mmis", "heartland", ("provider",), "letter", "letter", "user_id"),
        ("ozark-secure", "ozark", ("practice",), "letter", "payer", "email"),
    ],
)
def test_the_table_of_MODEL_3(
    six: dict[str, Checked],
    client_id: str,
    registry: str,
    acting_for: tuple[str, ...],
    accepts: str,
    for_manager: str,
    identifier: str,
) -> None:
    manifest = six[client_id].manifest
    portal = manifest.portal
    assert portal is not None
    assert (portal.registry, portal.acting_for, portal.accepts) == (registry, acting_for, accepts)
    assert (portal.accepts_for_manager, manifest.sign_in.identifier) == (for_manager, identifier)


def test_A4_C2_D4_password_policies(six: dict[str, Checked]) -> None:
    def asked(client_id: str) -> dict[str, Any]:
        policy = six[client_id].manifest.password
        return {} if policy is None else policy.model_dump(exclude_defaults=True)

    classes = {"lower": True, "upper": True}
    assert asked("ozark-exchange") == classes | {"digit": True, "only_ascii": True, "min_length": 8, "max_length": 20}
    assert asked("carebridge-provider") == classes | {
        "digit": True, "special": True, "no_part_of_user_name": True, "min_length": 12,
    }  # fmt: skip
    assert asked("cascade-mmis") == classes | {"digit_or_special": True, "min_length": 8}
    assert asked("heartland-selfservice") == asked("ozark-secure") == {}
    assert six["ozark-exchange"].manifest.password.not_user_id  # type: ignore[union-attr]


def test_D9_the_thirteen_roles(six: dict[str, Checked]) -> None:
    assert [level.label.en for level in six["cascade-mmis"].manifest.levels] == [
        "Claim Inquiry", "Claim Submission", "Claim Void", "Eligibility Inquiry", "Prior Auth Inquiry",
        "Prior Auth Submit", "Plan of Care Inquiry", "Clerk Maintenance", "EHR Incentive", "PCPCH",
        "Benefits HSC Inquiry", "Demographic Maintenance", "Trade Files",
    ]  # fmt: skip


def test_E7_the_seven_levels_each_with_its_sentence(six: dict[str, Checked]) -> None:
    levels = six["ozark-secure"].manifest.levels
    assert [level.label.en for level in levels] == [
        "Health Records", "Claims", "Manage Account", "Eligibility", "Health Passport", "Assessments", "Authorizations",
    ]  # fmt: skip
    assert all(level.help is not None for level in levels)


def test_the_mark_of_the_account_manager(six: dict[str, Checked]) -> None:
    marks = {each: [level.label.en for level in six[each].manifest.levels if level.manages] for each in PORTALS}
    assert marks == {
        "ozark-exchange": ["Administrator"],
        "heartland-selfservice": ["Administrator"],
        "carebridge-provider": ["Administrator"],
        "cascade-mmis": ["Clerk Maintenance"],
        "ozark-secure": ["Manage Account"],
    }


def test_B1_the_sign_in_page_has_its_links_and_its_terms(six: dict[str, Checked]) -> None:
    manifest = six["heartland-selfservice"].manifest
    assert [link.label.en for link in manifest.links if link.place == "sign_in"] == [
        "New Provider Registration", "Request Access for New User", "Send Message", "Minimum System Requirements",
        "View FAQs", "Contact Us",
    ]  # fmt: skip
    assert manifest.sign_in.button is not None
    assert manifest.sign_in.button.en == "Accept & Login"
    assert manifest.sign_in.terms is not None


def test_MODEL_3_the_ceremonies_of_each_portal(six: dict[str, Checked]) -> None:
    listed = {each: {name: list(row.steps) for name, row in six[each].manifest.enrollment.items()} for each in PORTALS}
    assert listed == {
        "ozark-exchange": {
            "trading_partner": [
                "choose_account_type", "identify_trading_partner",
                "create_account + site_key + challenge_questions", "verify_email", "confirmation",
            ],
            "invited": ["accept", "create_account + site_key + challenge_questions", "verify_email"],
        },
        "heartland-selfservice": {
            "register": [
                "create_account", "verify_email", "find_provider", "claim_practice", "agreement", "confirmation",
            ],
            "request": ["coverage", "find_provider", "requestor_details", "confirmation"],
            "invited": ["accept", "create_account", "verify_email", "agreement"],
        },
        "carebridge-provider": {
            "register": ["create_account", "verify_email", "set_up_mfa", "associate_provider", "agreement"],
            "invited": ["accept", "create_account", "verify_email", "agreement"],
        },
        "cascade-mmis": {
            "register": ["pin_letter", "create_account + challenge_questions + agreement", "verify_email"],
            "invited": ["accept", "create_account + challenge_questions + agreement", "verify_email"],
        },
        "ozark-secure": {
            "register": ["create_account", "verify_email", "claim_practice", "agreement", "confirmation"],
            "invited": ["accept", "create_account", "verify_email", "agreement"],
        },
    }  # fmt: skip


def test_A1_B1_C1_D2_E0_each_sign_in_page_leads_to_its_ceremonies(six: dict[str, Checked]) -> None:
    links = {
        each: {link.label.en: link.ceremony for link in six[each].manifest.links if link.ceremony} for each in PORTALS
    }
    assert links == {
        "ozark-exchange": {"Register Now": "trading_partner"},
        "heartland-selfservice": {"New Provider Registration": "register", "Request Access for New User": "request"},
        "carebridge-provider": {"Sign-up": "register"},
        "cascade-mmis": {"Account Setup": "register"},
        "ozark-secure": {"Create an account": "register"},
    }
    assert all(link.place == "sign_in" for each in PORTALS for link in six[each].manifest.links if link.ceremony)


def test_A3_D3_the_fields_as_the_portals_word_them(six: dict[str, Checked]) -> None:
    def asked(client_id: str, ceremony: str) -> dict[str, Any]:
        return six[client_id].manifest.enrollment[ceremony].options["create_account"]

    registrant = asked("ozark-exchange", "trading_partner")
    assert registrant["check_availability"] and registrant["fields"][:3] == ["user_id", "password", "confirm_password"]
    assert {name: said["en"] for name, said in asked("cascade-mmis", "register")["labels"].items()} == {
        "user_id": "User Name", "last_name": "Contact Last Name", "first_name": "Contact First Name",
        "email": "E-mail", "confirm_email": "Confirm E-mail",
    }  # fmt: skip
    assert asked("carebridge-provider", "register")["fields"] == ["email", "password", "first_name", "last_name"]


def test_A6_the_user_id_comes_before_the_password(six: dict[str, Checked]) -> None:
    assert [each for each in PORTALS if six[each].manifest.sign_in.username_first] == ["ozark-exchange"]


def test_A6_RC_21_one_portal_shows_a_site_key(six: dict[str, Checked]) -> None:
    assert [each for each in six if six[each].manifest.sign_in.site_key] == ["ozark-exchange"]


def test_C0_C10_D1_D5_instructions_agreements_warning(six: dict[str, Checked]) -> None:
    assert "registration-instructions" in {link.page for link in six["carebridge-provider"].manifest.links}
    assert {each for each in PORTALS if six[each].manifest.agreement} == {*PORTALS} - {"ozark-exchange"}
    cascade = six["cascade-mmis"].manifest
    assert cascade.banner is not None
    assert cascade.banner.must_accept
    assert cascade.help.security_phone is not None
    assert "languages-and-formats" in {link.page for link in cascade.links}


def test_every_portal_is_first_party_and_the_partner_is_not(six: dict[str, Checked]) -> None:
    assert all(six[each].manifest.registration.first_party for each in PORTALS)
    partner = six["harborline-analytics"].manifest
    assert (partner.portal, partner.registration.first_party) == (None, False)
    assert partner.registration.roles_of == "cascade-mmis"
    assert partner.registration.subject_type == "pairwise"


def test_ports_and_paths_are_those_of_the_demo(six: dict[str, Checked]) -> None:
    for port, client_id in enumerate([*PORTALS, "harborline-analytics"], start=8001):
        party = RelyingParty(client_id, six[client_id].manifest, epoch=1, enabled=True)
        base = f"http://localhost:{port}"
        assert party.redirect_uris == (f"{base}/callback",)
        assert party.absolute(party.registration.backchannel_logout_uri or "") == f"{base}/backchannel-logout"
        assert party.absolute(party.registration.initiate_login_uri or "") == f"{base}/sign-in"
        if party.portal is not None:
            assert party.absolute(party.portal.switch_uri or "") == f"{base}/switch-provider"


def test_telephone_numbers_are_invented(six: dict[str, Checked]) -> None:
    for each in six.values():
        assert each.manifest.help.phone.startswith("1-800-555-01")
        for text in (*each.texts.values(), each.manifest.model_dump_json()):
            numbers = [part for part in text.replace("*", " ").split() if part.startswith("1-800")]
            assert all(number.startswith("1-800-555-01") for number in numbers)


def test_every_portal_has_a_logo_and_its_texts_in_two_languages(six: dict[str, Checked]) -> None:
    for each in six.values():
        assert "logo.svg" in each.texts
        for name, text in each.texts.items():
            if name.endswith(".md"):
                other = name.replace(".en.md", ".es.md") if ".en." in name else name.replace(".es.md", ".en.md")
                assert other in each.texts
                assert text != each.texts[other]


def test_levels_of_the_demo_people_exist(six: dict[str, Checked]) -> None:
    people = tomllib.loads((FOLDER.parent / "demo" / "people.toml").read_text("utf-8"))["people"]
    for person in people:
        for affiliation in person.get("affiliations", ()):
            for client_id, keys in affiliation.get("levels", {}).items():
                known = {level.key for level in six[client_id].manifest.levels} | {"all"}
                assert set(keys) <= known, (person["user_id"], client_id)


def test_C4_C5_who_must_hold_a_factor_and_how_long_a_device_is_remembered(six: dict[str, Checked]) -> None:
    asked = {client_id: six[client_id].manifest.mfa for client_id in PORTALS}
    assert {client_id: mfa.policy for client_id, mfa in asked.items()} == {
        "ozark-exchange": "optional",
        "heartland-selfservice": "optional",
        "carebridge-provider": "required",
        "cascade-mmis": "managers",
        "ozark-secure": "managers",
    }, "MODEL §3"
    assert set(asked["carebridge-provider"].kinds) == {"passkey", "push", "totp", "sms", "email"}
    assert asked["carebridge-provider"].remember_days == 30


def test_D5_the_account_menu_before_sign_in(six: dict[str, Checked]) -> None:
    shown = [link.label.en for link in six["cascade-mmis"].manifest.links if link.place == "sign_in"]
    assert shown == ["Account Setup", "Logoff", "Reset Password", "Secure Site"]
