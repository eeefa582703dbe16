"""Which URLs and addresses a request may go to."""

import ipaddress

import pytest

from idp.foundation.destinations import Allowed, is_public, may_dial, target

NOTHING = Allowed()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.88.99.1",
        "::1",
        "::",
        "::7f00:1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "3fff::1",
    ],
)
def test_DR_04_T28_only_plain_public_addresses_are_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://rp.example/jwks",
        "http://localhost/jwks",
        "file:///etc/passwd",
        "gopher://rp.example/x",
        "ftp://rp.example/",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "//rp.example/x",
        "https://127.1/x",
        "https://0x7f000001/x",
        "https://2130706433/x",
        "https://0177.0.0.1/x",
        "https://rp.example.0x7f/x",
        "https://user@rp.example/x",
        "https://user:secret@rp.example/x",
        "https://rp.example@127.0.0.1/x",
        "https://rp.example#@inside/x",
        "https://rp.example\\@inside/x",
        "https://rp.example/x y",
        "https://rp.example/\r\nX: y",
        "https://rp.example./x",
        "https://rp.éxample/x",
        "https://rp_x.example/x",
        "https://rp.example:0/x",
        "https://rp.example:99999/x",
        "https://rp.example:/x",
        "https://[::1/x",
        "https://[fe80::1%25eth0]/x",
        "https://127.0.0.1%2f@rp.example/",
        "https://rp.example/" + "a" * 3000,
        "",
    ],
)
def test_DR_04_a_url_that_is_not_plainly_https_to_a_name_is_never_called(url: str) -> None:
    assert target(url, demo=False) is None


def test_a_plain_https_url_is_taken_apart() -> None:
    place = target("https://RP.example:8443/a/b?c=d", demo=False)
    assert place is not None
    assert (place.host, place.port, place.path, place.authority) == ("rp.example", 8443, "/a/b?c=d", "rp.example:8443")


def test_ruling_8_the_demo_may_call_localhost_by_http_and_nothing_else_inside() -> None:
    place = target("http://localhost:8001/jwks", demo=True)
    assert place is not None
    assert may_dial(ipaddress.ip_address("127.0.0.1"), target=place, allowed=NOTHING, demo=True)
    assert may_dial(ipaddress.ip_address("::1"), target=place, allowed=NOTHING, demo=True)
    assert not may_dial(ipaddress.ip_address("10.0.0.1"), target=place, allowed=NOTHING, demo=True)
    assert not may_dial(ipaddress.ip_address("8.8.8.8"), target=place, allowed=NOTHING, demo=True)
    for url in ("http://127.0.0.1:8001/", "http://localhost.evil.example/", "http://rp.example/", "http://[::1]/"):
        assert target(url, demo=True) is None


def test_an_operator_opens_hosts_and_networks_and_no_more() -> None:
    allowed = Allowed.parse(["rp.inside", "only.inside:8443", "10.2.0.0/16", "fd00:1::/32"])
    named, ported, other = (
        target(f"https://{name}/", demo=False) for name in ("rp.inside", "only.inside", "other.inside")
    )
    assert named is not None
    assert ported is not None
    assert other is not None

    def dial(address: str, place: object) -> bool:
        return may_dial(ipaddress.ip_address(address), target=place, allowed=allowed, demo=False)  # type: ignore[arg-type]

    assert dial("192.168.7.7", named)
    assert not dial("169.254.169.254", named)
    assert not dial("192.168.7.7", ported)
    assert not dial("192.168.7.7", other)
    assert dial("10.2.3.4", other)
    assert dial("::ffff:10.2.3.4", other)
    assert dial("fd00:1::5", other)
    assert not dial("10.3.0.1", other)


@pytest.mark.parametrize("entry", ["127.1", "a b", "https://x", "10.0.0.0/40", "", "x:y"])
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        Allowed.parse([entry])
