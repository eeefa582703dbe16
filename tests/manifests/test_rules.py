"""Every refusal of a manifest once: file, line, key and reason."""

from dataclasses import replace
from typing import Any

import pytest

from idp.manifests.rules import Source, Violation, read
from idp.relying_parties.faults import Ground

HERE = "#!"
"""Marks the line that the refusal must name."""
GROUND = Ground()

PORTAL = """
name = "Test Portal"
short_name = "Test"
base_url = "https://portal.example"

[registration]
redirect_uris = ["/callback"]
post_logout_redirect_uris = ["/signed-out"]
token_endpoint_auth_method = "client_secret_basic"
grant_types = ["authorization_code", "refresh_token"]
scope = "openid provider_id entitlements"
first_party = true
# more registration

[portal]
registry = "ozark"
acting_for = ["provider"]
accepts = "letter"
accepts_for_manager = "payer"
default_levels = ["claims.submit"]
# more portal

[brand]
accent_light = "#0B6468"
accent_dark = "#5CC8CB"
soft_light = "#E4F2F2"
soft_dark = "#12302F"
fill_dark = "#1F7F83"
band_light = "#084C50"
band_dark = "#0A3336"
initials = "TP"

[help]
phone = "1-800-555-0199"
# more help

[[levels]]
key = "claims.submit"
label = { en = "Claims", es = "Reclamaciones" }

[[levels]]
key = "administrator"
label = { en = "Administrator", es = "Administrador" }
manages = true
# more tables
"""

PARTNER = """
name = "Test Partner"
short_name = "Partner"
base_url = "https://partner.example"

[registration]
redirect_uris = ["/callback"]
token_endpoint_auth_method = "private_key_jwt"
jwks_uri = "https://partner.example/keys"
grant_types = ["authorization_code", "client_credentials"]
scope = "openid provider_id tin"
subject_type = "pairwise"
# more registration

[registration.approved_for]
registry = "ozark"
provider_ids = ["123456"]
tins = ["123456789"]

[brand]
accent_light = "#0B6468"
accent_dark = "#5CC8CB"
soft_light = "#E4F2F2"
soft_dark = "#12302F"
fill_dark = "#1F7F83"
band_light = "#084C50"
band_dark = "#0A3336"
initials = "TP"

[help]
phone = "1-800-555-0199"
# more tables
"""


def wrong(
    text: str, *, client_id: str = "test-portal", ground: Ground = GROUND, **changed: Any
) -> tuple[Violation, ...]:
    source = replace(Source(client_id, f"{client_id}.toml", text), **changed)
    return read((source,), ground=ground)[1]


def changed(text: str, old: str, new: str) -> tuple[str, int]:
    """`text` with `old` replaced, and the line of the mark in it."""
    assert text.count(old) == 1, old
    altered = text.replace(old, new)
    return altered, 1 + altered[: altered.index(HERE)].count("\n")


def test_both_samples_are_right() -> None:
    assert wrong(PORTAL) == ()
    assert wrong(PARTNER, client_id="test-partner") == ()


SCOPE = 'scope = "openid provider_id entitlements"'
REDIRECTS = 'redirect_uris = ["/callback"]\npost'
METHOD = 'token_endpoint_auth_method = "client_secret_basic"'
GRANTS = 'grant_types = ["authorization_code", "refresh_token"]'
MORE = "# more registration"
TABLES = "# more tables"


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        # shape: a misspelt or invented key is refused by name (DR-08)
        (MORE, "trusted = true #!", "registration.trusted", "is not a key that manifests have"),
        (MORE, "skip_consent = true #!", "registration.skip_consent", "is not a key that manifests have"),
        (MORE, 'client_secret = "mine" #!', "registration.client_secret", "is not a key that manifests have"),
        (MORE, "request_uris = [] #!", "registration.request_uris", "is not a key that manifests have"),
        (MORE, 'logo_uri = "https://evil.example/x.svg" #!', "registration.logo_uri", "is not a key"),
        (METHOD, 'token_endpoint_auth_method = "client_secret_jwt" #!', "registration.token_endpoint_auth_method", "'client_secret_basic'"),
        (GRANTS, 'grant_types = [\n"implicit" #!\n]', "registration.grant_types[0]", "input should be"),
        ('accepts = "letter"', 'accepts = "rumour" #!', "portal.accepts", "input should be"),
        ("[help]\nphone = \"1-800-555-0199\"", "[help] #!", "help.phone", "is missing"),
        (MORE, "[registration.access_token]\nminutes = 61 #!", "registration.access_token.minutes", "less than or equal to 60"),
        (MORE, "refresh_grace_seconds = 11 #!", "registration.refresh_grace_seconds", "less than or equal to 10"),
        # addresses
        ('base_url = "https://portal.example"', 'base_url = "http://portal.example" #!', "base_url", "must be https"),
        (REDIRECTS, 'redirect_uris = [\n"/callback",\n"https://evil.example@x.example/" #!\n]\npost', "registration.redirect_uris[1]", "user name"),
        (REDIRECTS, 'redirect_uris = ["/callback", "https://portal.example/callback"] #!\npost', "registration.redirect_uris[1]", "is listed twice"),
        (REDIRECTS, 'redirect_uris = [] #!\npost', "registration.redirect_uris", "at least one is needed"),
        (REDIRECTS, 'application_type = "native"\nredirect_uris = ["app:/cb"] #!\npost', "registration.redirect_uris[0]", "reversed domain"),
        ('["/signed-out"]', '["javascript:alert(1)"] #!', "registration.post_logout_redirect_uris[0]", "https"),
        (MORE, 'initiate_login_uri = "http://portal.example/" #!', "registration.initiate_login_uri", "must be https"),
        ('accepts = "letter"', 'accepts = "letter"\nswitch_uri = "javascript:x" #!', "portal.switch_uri", "https"),
        (MORE, 'client_uri = "data:text/html,x" #!', "registration.client_uri", "https"),
        (MORE, 'policy_uri = "/a#b" #!', "registration.policy_uri", "fragment"),
        (MORE, 'tos_uri = "javascript:x" #!', "registration.tos_uri", "https"),
        (MORE, 'backchannel_logout_uri = "https://169.254.169.254/x" #!', "registration.backchannel_logout_uri", "not public"),
        (MORE, 'resources = ["urn:x"] #!', "registration.resources[0]", "https"),
        (MORE, '[registration.access_token]\naudience = "x" #!', "registration.access_token.audience", "absolute"),
        # authentication
        (METHOD, 'token_endpoint_auth_method = "private_key_jwt" #!', "registration.token_endpoint_auth_method", "needs jwks or jwks_uri"),
        (MORE, 'jwks_uri = "https://portal.example/keys" #!', "registration.jwks_uri", "no use without private_key_jwt"),
        (METHOD, 'token_endpoint_auth_method = "private_key_jwt"\njwks_uri = "https://10.1.2.3/keys" #!', "registration.jwks_uri", "not public"),
        (METHOD, 'token_endpoint_auth_method = "private_key_jwt"\njwks = { keys = [] } #!', "registration.jwks", "JWK set"),
        (METHOD, 'token_endpoint_auth_method = "none"\nmay_introspect = true #!', "registration.may_introspect", "prove who they are"),
        (METHOD, 'token_endpoint_auth_method = "none"\nssn_tins = true #!', "registration.ssn_tins", "prove who they are"),
        # grants
        (GRANTS, "grant_types = [] #!", "registration.grant_types", "names no grant"),
        (GRANTS, 'grant_types = ["authorization_code", "authorization_code"] #!', "registration.grant_types", "twice"),
        (GRANTS, 'grant_types = ["refresh_token"] #!', "registration.grant_types", "without authorization_code"),
        (GRANTS, 'grant_types = ["authorization_code", "client_credentials"] #!', "registration.grant_types", "approved_for"),
        (MORE, '[registration.approved_for] #!\nregistry = "ozark"\ntins = ["123456789"]', "registration.approved_for", "no use without client_credentials"),
        # scopes
        (SCOPE, 'scope = "openid admin entitlements" #!', "registration.scope", "knows no scope 'admin'"),
        (SCOPE, 'scope = "openid  entitlements" #!', "registration.scope", "knows no scope ''"),
        (SCOPE, 'scope = "openid provider_id:123456" #!', "registration.scope", "knows no scope"),
        (SCOPE, 'scope = "openid openid" #!', "registration.scope", "twice"),
        (SCOPE, 'scope = "provider_id" #!', "registration.scope", "must have openid"),
        (GRANTS, 'grant_types = ["authorization_code"]\nid_token_claims = ["npi", "tin"] #!', "registration.id_token_claims[1]", "released by the scope tin"),
        # subjects
        (MORE, 'subject_type = "pairwise" #!', "registration.subject_type", "share one subject"),
        (MORE, 'sector_identifier_uri = "https://portal.example/s" #!', "registration.sector_identifier_uri", "public subjects"),
        # the portal
        ('registry = "ozark"', 'registry = "Ozark!" #!', "portal.registry", "name of a registry"),
        ('acting_for = ["provider"]', "acting_for = [] #!", "portal.acting_for", "no kind of target"),
        ('acting_for = ["provider"]', 'acting_for = ["provider", "provider"] #!', "portal.acting_for", "twice"),
        ('accepts_for_manager = "payer"', 'accepts_for_manager = "self" #!', "portal.accepts_for_manager", "weaker than accepts"),
        ("# more portal", 'accepts_evidence_from = ["ozark"] #!', "portal.accepts_evidence_from[0]", "another registry"),
        ('default_levels = ["claims.submit"]', 'default_levels = ["claims.void"] #!', "portal.default_levels[0]", "not one of this portal's levels"),
        ('default_levels = ["claims.submit"]', 'default_levels = ["administrator"] #!', "portal.default_levels[0]", "everybody an account manager"),
        ('[[levels]]\nkey = "claims.submit"', '[[levels]] #!\nmanages = true\nkey = "claims.submit"', "levels", "exactly one level"),
        ('[[levels]]\nkey = "administrator"', '[[levels]]\nkey = "claims.submit" #!\nlabel = { en = "x", es = "y" }\n[[levels]]\nkey = "administrator"', "levels[1].key", "listed twice"),
        ('key = "administrator"', 'key = "Administrator!" #!', "levels[1].key", "lower-case words"),
        # words
        ('name = "Test Portal"', 'name = "  " #!', "name", "one line"),
        ('es = "Reclamaciones" }', 'es = "" } #!', "levels[0].label.es", "must not be empty"),
        ('es = "Administrador" }', 'es = "a\\u202Eb" } #!', "levels[1].label.es", "must not be empty"),
        ("# more help", 'hours = { en = "a\\nb", es = "c" } #!', "help.hours.en", "one line"),
        ("# more help", 'security_phone = "call us" #!', "help.security_phone", "telephone number"),
        ("# more help", 'email = "us at example" #!', "help.email", "e-mail address"),
        (TABLES, '[password]\nmin_length = 32 #!\nmax_length = 20', "password.min_length", "more than max_length"),
        # links and texts
        (TABLES, '[[links]] #!\nlabel = { en = "a", es = "b" }', "links[0]", "either a url, a page, a ceremony or a page of ours"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\npage = "../x" #!', "links[0].page", "lower-case words with dashes"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\npage = "agreement-1" #!', "links[0].page", "not an agreement"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\nurl = "javascript:x" #!', "links[0].url", "https"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\nmessage = true #!', "links[0].message", "mails help.email"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\npage = "message" #!', "links[0].page", "mails support"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\nurl = "mailto:x" #!', "links[0].url", "e-mail address"),
        (TABLES, '[[links]]\nlabel = { en = "a", es = "b" }\npage = "faqs" #!', "links[0].page", "faqs.en.md is missing"),
        (TABLES, '[agreement]\nversion = "3" #!\ntitle = { en = "a", es = "b" }', "agreement.version", "agreement-3.es.md is missing"),
        (TABLES, '[agreement]\nversion = "../3" #!\ntitle = { en = "a", es = "b" }', "agreement.version", "letters, digits"),
        (TABLES, '[sign_in]\nidentifier = "user_id"\nsite_key = true #!', "sign_in.site_key", "needs username_first"),
        (TABLES, '[sign_in]\nusername_first = true\nsite_key = true #!', "sign_in.site_key", 'needs identifier = "user_id"'),
        (TABLES, '[sign_in.terms]\nversion = "1" #!\ntitle = { en = "a", es = "b" }', "sign_in.terms.version", "terms-1.en.md is missing"),
        (TABLES, '[banner]\nversion = "a b" #!\ntext = { en = "a", es = "b" }', "banner.version", "letters, digits"),
        # the look
        ('accent_light = "#0B6468"', 'accent_light = "#7FB7BA" #!', "brand.accent_light", "at least 4.5 is needed"),
        ('band_dark = "#0A3336"', 'band_dark = "#1F7F83" #!', "brand.band_dark", "at least 7 is needed"),
        ('soft_dark = "#12302F"', 'soft_dark = "black" #!', "brand.soft_dark", "#RRGGBB"),
    ],
)  # fmt: skip
def test_DR_08_each_wrong_value_is_refused_by_file_line_and_reason(old: str, new: str, key: str, reason: str) -> None:
    text, line = changed(PORTAL, old, new)
    found = wrong(text)
    assert any(
        each.file == "test-portal.toml" and each.line == line and each.key == key and reason in each.reason
        for each in found
    ), "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('"private_key_jwt"\njwks_uri = "https://partner.example/keys"\ngrant_types', '"none"\ngrant_types', "registration.grant_types", "proves who it is"),
        ('provider_ids = ["123456"]', 'provider_ids = ["12345"] #!', "registration.approved_for.provider_ids[0]", "6 or 9 digits"),
        ('tins = ["123456789"]', 'tins = ["12-345"] #!', "registration.approved_for.tins[0]", "9 digits"),
        ('registry = "ozark"\nprovider_ids = ["123456"]\ntins = ["123456789"]', 'registry = "ozark" #!', "registration.approved_for", "neither a provider ID nor a TIN"),
        ('registry = "ozark"', 'registry = "o z" #!', "registration.approved_for.registry", "name of a registry"),
        ('redirect_uris = ["/callback"]', 'redirect_uris = ["/callback", "https://other.example/cb"] #!', "registration.subject_type", "sector_identifier_uri"),
        ("# more registration", 'sector_identifier_uri = "https://10.0.0.1/s" #!', "registration.sector_identifier_uri", "not public"),
        ("# more registration", "jwks = { keys = [] } #!", "registration.jwks_uri", "give one of them"),
        ('scope = "openid provider_id tin"', 'scope = "openid offline_access" #!', "registration.scope", "refresh_token"),
        ('scope = "openid provider_id tin"', 'scope = "openid entitlements" #!', "registration.roles_of", "must name the portal"),
        ("# more registration", 'roles_of = "nobody" #!', "registration.roles_of", "not a portal of this folder"),
        ('grant_types = ["authorization_code", "client_credentials"]', 'grant_types = ["client_credentials"] #!', "registration.redirect_uris", "no use without authorization_code"),
        ("# more tables", "[[levels]] #!\nkey = \"a\"\nlabel = { en = \"a\", es = \"b\" }", "levels", "is for portals"),
        ("# more tables", "[password] #!", "password", "is for portals"),
        ("# more tables", "[sign_in]\nsite_key = true #!", "sign_in.site_key", "is for portals"),
    ],
)  # fmt: skip
def test_DR_08_a_partner_has_its_own_rules(old: str, new: str, key: str, reason: str) -> None:
    assert PARTNER.count(old) == 1
    found = wrong(PARTNER.replace(old, new), client_id="test-partner")
    assert any(each.key == key and reason in each.reason for each in found), "\n".join(map(str, found))


@pytest.mark.parametrize(
    "client_id",
    ["ab", "A-portal", "1portal", "a--b", "a-", "a_b", "a" * 49, "portal.x", "x/../y", "abcdefghijklmnopqrstuvwxyz"],
)
def test_TK_24_a_client_id_never_has_the_form_of_a_subject(client_id: str) -> None:
    found = wrong(PORTAL, client_id=client_id)
    assert any("a client ID" in each.reason for each in found)


def test_what_is_not_toml_is_refused_with_its_line() -> None:
    (found,) = wrong('name = "x"\nbase_url = \n')
    assert (found.file, found.line) == ("test-portal.toml", 2)
    assert found.reason.startswith("is not TOML")


def test_no_reason_repeats_a_secret_value() -> None:
    text, _ = changed(PORTAL, MORE, 'client_secret = "CNRY-secret" #!')
    text = text.replace(
        METHOD, 'token_endpoint_auth_method = "private_key_jwt"\njwks = { keys = [{ kty = "oct", k = "CNRY-key" }] }'
    )
    assert "CNRY" not in "".join(map(str, wrong(text)))


def test_texts_that_nothing_names_are_refused_but_older_agreements_stay() -> None:
    assert wrong(PORTAL, texts={"agreement-1.en.md": "old", "terms-2.es.md": "old"}) == ()
    (found,) = wrong(PORTAL, texts={"faq.en.md": "x"})
    assert "faq.en.md beside the manifest is named by nothing" in found.reason
    (found,) = wrong(PORTAL, texts={"agreement-1.en.md": "x" * 70_000})
    assert "longer than 64 KB" in found.reason
    (found,) = wrong(PORTAL, texts={"terms-1.en.md": "# Terms\n"})
    assert "begins with a title" in found.reason


def test_DR_05_a_bad_logo_is_refused_by_its_own_name() -> None:
    (found,) = wrong(PORTAL, texts={"logo.svg": "<svg/>"})
    assert (found.file, found.line) == ("test-portal/logo.svg", 1)


def test_the_demo_decides_base_url_and_keys() -> None:
    text = PORTAL.replace(
        METHOD, 'token_endpoint_auth_method = "private_key_jwt"\njwks_uri = "https://portal.example/k"'
    )
    key = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
    source = Source("test-portal", "test-portal.toml", text, base_url="http://localhost:9001", jwks={"keys": [key]})
    (checked,), violations = read((source,), ground=Ground(loopback=True))
    assert violations == ()
    assert checked.manifest.base_url == "http://localhost:9001"
    assert checked.manifest.registration.jwks == {"keys": [key]}
    assert checked.manifest.registration.jwks_uri is None


def test_an_algorithm_that_no_key_signs_is_refused() -> None:
    text, line = changed(PORTAL, MORE, 'id_token_signed_response_alg = "EdDSA" #!')
    (found,) = wrong(text, ground=Ground(algs=frozenset({"RS256", "ES256"})))
    assert (found.line, found.key) == (line, "registration.id_token_signed_response_alg")
    assert "no active key signs EdDSA" in found.reason


def test_all_reasons_come_at_once_in_order() -> None:
    first, _ = changed(PORTAL, 'name = "Test Portal"', 'name = "" #!')
    second, _ = changed(first.replace(" #!", ""), SCOPE, 'scope = "admin" #!')
    found = wrong(second)
    assert [each.line for each in found] == sorted(each.line for each in found)
    assert {each.key for each in found} == {"name", "registration.scope"}
    assert str(found[0]) == "test-portal.toml:2: name must be one line of at most 80 characters"


def test_what_does_not_parse_hides_no_wrong_address_or_colour_elsewhere():
    text = PORTAL.replace('accepts = "letter"', 'accepts = "rumour"').replace("#0B6468", "#EEEEEE")
    text = text.replace('redirect_uris = ["/callback"]', 'redirect_uris = ["/callback#there"]')
    keys = {each.key for each in wrong(text)}
    assert keys == {"portal.accepts", "registration.redirect_uris[0]", "brand.accent_light"}


def test_of_what_stands_in_for_a_broken_table_nothing_is_said():
    text = PORTAL.replace('initials = "TP"', "initials = 7").replace('base_url = "https://portal.example"', "")
    assert {each.key for each in wrong(text)} == {"brand.initials", "base_url"}
