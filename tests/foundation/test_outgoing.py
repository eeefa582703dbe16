"""Requests to other people's servers, against a real one on loopback."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from idp.foundation.outgoing import Outgoing, Purpose, Reason, Reply
from idp.vocabulary.refused import Refused
from tests.foundation.outside import Outside, answer, drip, flood, garble

SHORT = timedelta(milliseconds=400)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Outside]:
    with Outside(tmp_path) as outside:
        yield outside


@pytest.fixture
def out(there: Outside) -> Outgoing:
    """A client for which the operator opened loopback, and every name resolves to it."""
    return Outgoing(allow=["127.0.0.0/8"], ca_file=there.certificate, resolver=lambda host, port: ["127.0.0.1"])


def closed(there: Outside, *addresses: str) -> Outgoing:
    """A client as it comes, with a resolver that says `addresses`."""
    return Outgoing(ca_file=there.certificate, resolver=lambda host, port: list(addresses))


def test_a_document_is_fetched(out: Outgoing, there: Outside) -> None:
    there.behave = answer(b'{"keys":[]}', headers="Content-Type: application/json\r\n")
    reply = out.get(there.url("/jwks?x=1"), purpose=Purpose.JWKS_URI)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b'{"keys":[]}', "application/json")
    head = there.requests[0].decode()
    assert head.startswith("GET /jwks?x=1 HTTP/1.1\r\n")
    assert f"Host: rp.example:{there.port}\r\n" in head
    assert "Accept-Encoding: identity" in head


def test_a_form_is_posted(out: Outgoing, there: Outside) -> None:
    there.behave = answer(b"", status="204 No Content")
    reply = out.post(there.url(), purpose=Purpose.BACKCHANNEL_LOGOUT, form={"logout_token": "a.b+c&d"})
    assert isinstance(reply, Reply)
    assert reply.status == 204
    assert there.requests[0].endswith(b"\r\n\r\nlogout_token=a.b%2Bc%26d")
    assert b"application/x-www-form-urlencoded" in there.requests[0]


def test_an_error_status_is_an_answer(out: Outgoing, there: Outside) -> None:
    there.behave = answer(b"no", status="500 Oops")
    reply = out.post(there.url(), purpose=Purpose.SMS_GATEWAY, body=b"{}", headers={"Content-Type": "application/json"})
    assert isinstance(reply, Reply)
    assert reply.status == 500


def test_a_purpose_fixes_the_method(out: Outgoing, there: Outside) -> None:
    with pytest.raises(ValueError, match="is a POST"):
        out.get(there.url(), purpose=Purpose.BACKCHANNEL_LOGOUT)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "169.254.169.254",
        "[fd00::1]",
        "0",
    ],
)
def test_DR_04_T28_no_spelling_of_an_inner_address_is_dialled(there: Outside, host: str) -> None:
    url = there.url(host=host)
    out = Outgoing(ca_file=there.certificate)
    assert not out.may_call(url)
    assert out.get(url, purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)
    assert there.requests == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "100.64.0.1", "169.254.169.254", "fd00::1", "64:ff9b::7f00:1", "::ffff:127.0.0.1"],
)
def test_DR_04_a_name_that_resolves_to_inside_is_not_dialled(there: Outside, address: str) -> None:
    assert closed(there, address).get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)
    mixed = closed(there, "8.8.8.8", address)
    assert mixed.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)
    assert there.requests == []


def test_DR_04_rebinding_finds_no_second_resolution(there: Outside) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    out = Outgoing(allow=["127.0.0.0/8"], ca_file=there.certificate, resolver=rebinding)
    assert isinstance(out.get(there.url(), purpose=Purpose.JWKS_URI), Reply)
    assert asked == ["rp.example"]
    assert out.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Keep", "308 Keep"])
def test_DR_04_a_redirect_is_not_followed(out: Outgoing, there: Outside, status: str) -> None:
    there.behave = answer(b"", status=status, headers="Location: https://169.254.169.254/latest\r\n")
    assert out.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.REDIRECTED)
    assert len(there.requests) == 1


def test_LO_10_a_peer_of_one_byte_at_a_time_is_cut_at_the_deadline(out: Outgoing, there: Outside) -> None:
    there.behave = drip
    started = time.monotonic()
    assert out.get(there.url(), purpose=Purpose.JWKS_URI, timeout=SHORT) == Refused(Reason.TOO_SLOW)
    assert time.monotonic() - started < 10


def test_LO_10_a_silent_peer_is_cut_at_the_deadline(tmp_path: Path) -> None:
    with Outside(tmp_path, tls=False) as mute:
        out = Outgoing(allow=["127.0.0.0/8"], resolver=lambda host, port: ["127.0.0.1"])
        assert out.get(mute.url(), purpose=Purpose.JWKS_URI, timeout=SHORT) in {
            Refused(Reason.TOO_SLOW),
            Refused(Reason.UNREACHABLE),
        }


@pytest.mark.parametrize("behaviour", [flood, answer(b"x" * 10_000_000)])
def test_LO_10_a_huge_answer_is_not_taken_in(out: Outgoing, there: Outside, behaviour: object) -> None:
    there.behave = behaviour  # type: ignore[assignment]
    assert out.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.TOO_LARGE)


def test_an_answer_of_exactly_the_limit_is_taken(out: Outgoing, there: Outside) -> None:
    there.behave = answer(b"x" * 100)
    assert isinstance(out.get(there.url(), purpose=Purpose.JWKS_URI, max_bytes=100), Reply)
    assert out.get(there.url(), purpose=Purpose.JWKS_URI, max_bytes=99) == Refused(Reason.TOO_LARGE)


def test_what_is_not_http_or_is_compressed_is_garbled(out: Outgoing, there: Outside) -> None:
    there.behave = garble
    assert out.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.GARBLED)
    there.behave = answer(b"x", headers="Content-Encoding: gzip\r\n")
    assert out.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.GARBLED)


def test_a_certificate_for_another_name_or_of_an_unknown_authority_is_refused(there: Outside, out: Outgoing) -> None:
    assert out.get(there.url(host="other.example"), purpose=Purpose.JWKS_URI) == Refused(Reason.UNREACHABLE)
    trusting_nobody = Outgoing(allow=["127.0.0.0/8"], resolver=lambda host, port: ["127.0.0.1"])
    assert trusting_nobody.get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.UNREACHABLE)
    assert there.requests == []


def test_a_proxy_of_the_environment_is_not_used(out: Outgoing, there: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert isinstance(out.get(there.url(), purpose=Purpose.JWKS_URI), Reply)


def test_a_name_that_does_not_resolve_or_resolves_too_slowly(there: Outside) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    answered = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        answered.wait(30)
        return ["127.0.0.1"]

    assert Outgoing(resolver=unknown).get(there.url(), purpose=Purpose.JWKS_URI) == Refused(Reason.UNRESOLVED)
    hurried = Outgoing(resolver=slow).get(there.url(), purpose=Purpose.JWKS_URI, timeout=timedelta(milliseconds=50))
    answered.set()
    assert hurried == Refused(Reason.TOO_SLOW)


def test_the_next_address_is_tried_when_the_first_does_not_answer(there: Outside) -> None:
    out = Outgoing(
        allow=["127.0.0.0/8", "::1"], ca_file=there.certificate, resolver=lambda host, port: ["::1", "127.0.0.1"]
    )
    assert isinstance(out.get(there.url(), purpose=Purpose.JWKS_URI), Reply)


def test_ruling_8_the_demo_calls_localhost_by_http(tmp_path: Path) -> None:
    with Outside(tmp_path, tls=False) as plain:
        url = plain.url(host="localhost", scheme="http")
        demo = Outgoing(demo=True)
        assert isinstance(demo.get(url, purpose=Purpose.JWKS_URI), Reply)
        assert Outgoing().get(url, purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)
        fooled = Outgoing(demo=True, resolver=lambda host, port: ["10.0.0.1"])
        assert fooled.get(url, purpose=Purpose.JWKS_URI) == Refused(Reason.NOT_ALLOWED)
