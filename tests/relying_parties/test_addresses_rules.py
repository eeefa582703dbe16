"""Addresses in manifests: AZ-01…07, DR-03, DR-04 as manifest policy."""

import pytest

from idp.relying_parties.addresses.rules import (
    wrong_base,
    wrong_native_redirect,
    wrong_page,
    wrong_server_address,
    wrong_web_redirect,
)
from idp.relying_parties.faults import Ground

PRODUCTION = Ground()
DEMO = Ground(loopback=True)


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/cb",
        "https://rp.example:8443/cb?tenant=1",
        "https://rp.example/",
        "https://203.0.113.7/cb",
        "https://[2001:db8::1]/cb",
        "https://xn--rp-example-kza.example/cb",
    ],
)
def test_AZ_01_plain_https_addresses_may_be_registered(uri: str) -> None:
    assert wrong_web_redirect(uri, ground=PRODUCTION) is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "plain ASCII"),
        ("https://rp.example", "needs a path"),
        ("https://rp.example/cb#x", "fragment"),
        ("https://rp.example@evil.example/cb", "user name"),
        ("https://:x@evil.example/cb", "user name"),
        ("https://rp.example/cb/../x", ". or .."),
        ("https://rp.example/cb/%2e%2E/x", ". or .."),
        ("https://rp.example/./cb", ". or .."),
        ("https://RP.example/cb", "lower case"),
        ("HTTPS://rp.example/cb", "lower case"),
        ("https:///cb", "no host"),
        ("https://rp..example/cb", "name a host"),
        ("https://rp.example./cb", "name a host"),
        ("https://0x7f000001/cb", "name a host"),
        ("https://2130706433/cb", "name a host"),
        ("https://127.1/cb", "name a host"),
        ("https://rp.example:99999/cb", "is not an address"),
        ("https://[::1/cb", "is not an address"),
        ("https://*.rp.example/cb", "plain ASCII"),
        ("https://rp.example/c b", "plain ASCII"),
        ("https://rp.example/c\r\nb", "plain ASCII"),
        ("https://rp.example\\@evil.example/cb", "plain ASCII"),
        ("https://rp.example/\x00", "plain ASCII"),
        ("https://rp.examplé/cb", "plain ASCII"),
        ("https://rp.example/" + "a" * 3000, "plain ASCII"),
        ("//rp.example/cb", "absolute"),
        ("cb", "absolute"),
        ("javascript:alert(1)", "must be an https address"),
        ("data:text/html,x", "must be an https address"),
        ("vbscript:x", "must be an https address"),
        ("file:///etc/passwd", "must be an https address"),
        ("com.example.app:/cb", "must be an https address"),
        ("http://rp.example/cb", "must be https"),
        ("http://localhost.evil.example/cb", "must be https"),
        ("http://localhost:8001/cb", "for the demo"),
    ],
)
def test_AZ_01_02_03_05_07_other_redirects_are_refused_at_registration(uri: str, reason: str) -> None:
    assert reason in (wrong_web_redirect(uri, ground=PRODUCTION) or "accepted")


@pytest.mark.parametrize("uri", ["http://localhost:8001/cb", "http://127.0.0.1:8001/cb", "http://[::1]:8001/cb"])
def test_plain_http_is_for_loopback_in_the_demo(uri: str) -> None:
    assert wrong_web_redirect(uri, ground=DEMO) is None
    assert wrong_page(uri, ground=PRODUCTION) is not None


@pytest.mark.parametrize(
    "uri", ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"]
)
def test_AZ_06_what_a_native_app_may_register(uri: str) -> None:
    assert wrong_native_redirect(uri) is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://localhost/cb", "loopback literals"),
        ("http://127.0.0.1.evil.example/cb", "loopback literals"),
        ("http://localhost:80@evil.example/cb", "loopback literals"),
        ("http://x@127.0.0.1/cb", "loopback literals"),
        ("http://[::ffff:127.0.0.1]/cb", "loopback literals"),
        ("http://127.0.0.1", "needs a path"),
        ("myapp:/cb", "reversed domain"),
        ("javascript:alert(1)", "reversed domain"),
        ("data:text/html,x", "reversed domain"),
        ("com.example.app:/cb#x", "fragment"),
        ("app cb", "plain ASCII"),
    ],
)
def test_AZ_06_what_a_native_app_may_not(uri: str, reason: str) -> None:
    assert reason in (wrong_native_redirect(uri) or "accepted")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://127.0.0.1/k", "not public"),
        ("https://127.1/k", "name a host"),
        ("https://0x7f000001/k", "name a host"),
        ("https://[::ffff:127.0.0.1]/k", "not public"),
        ("https://[::ffff:8.8.8.8]/k", "not public"),
        ("https://rp.example:0/k", "no address that this server calls"),
        ("https://169.254.169.254/latest", "not public"),
        ("https://100.64.0.1/k", "not public"),
        ("https://10.0.0.1/k", "not public"),
        ("https://[fd00::1]/k", "not public"),
        ("https://[64:ff9b::7f00:1]/k", "not public"),
        ("https://[2002:7f00:1::]/k", "not public"),
        ("https://224.0.0.1/k", "not public"),
        ("https://intranet/k", "not public"),
        ("https://db.internal/k", "not public"),
        ("https://localhost/k", "not public"),
        ("http://rp.example/k", "must be https"),
        ("file:///k", "must be an https address"),
        ("gopher://rp.example/k", "must be an https address"),
    ],
)
def test_DR_04_what_the_server_would_call_is_public_https(uri: str, reason: str) -> None:
    assert reason in (wrong_server_address(uri, ground=PRODUCTION) or "accepted")


def test_DR_04_a_closed_network_names_what_it_allows() -> None:
    allowed = Ground(outgoing_allow=("intranet", "portal.internal:8443"))
    assert wrong_server_address("https://intranet/k", ground=allowed) is None
    assert wrong_server_address("https://portal.internal:8443/k", ground=allowed) is None
    assert wrong_server_address("https://portal.internal/k", ground=allowed) is not None
    assert wrong_server_address("https://10.0.0.1/k", ground=allowed) is not None
    network = Ground(outgoing_allow=("10.0.0.0/8",))
    assert wrong_server_address("https://10.0.0.1/k", ground=network) is None
    assert wrong_server_address("https://192.168.0.1/k", ground=network) is not None
    assert wrong_server_address("https://portal.internal/k", ground=network) is None
    assert wrong_server_address("http://intranet/k", ground=allowed) is not None


def test_the_demo_may_call_loopback() -> None:
    assert wrong_server_address("http://localhost:8004/backchannel-logout", ground=DEMO) is None
    assert wrong_server_address("https://rp.example/keys", ground=PRODUCTION) is None


@pytest.mark.parametrize("uri", ["https://rp.example/", "https://rp.example?x=1", "https://rp.example/a/"])
def test_a_base_url_carries_paths(uri: str) -> None:
    assert "without a slash or query" in (wrong_base(uri, ground=PRODUCTION) or "accepted")
    assert wrong_base("https://rp.example/portal", ground=PRODUCTION) is None
