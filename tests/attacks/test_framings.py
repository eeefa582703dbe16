"""SE-11, DI-03: bytes on the wire that two servers could read differently (SECURITY §4)."""

import pytest

from tests.attacks.served import HOST, Served, one_served, statuses

pytestmark = [pytest.mark.faults, one_served]

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
POST = f"POST /oauth/token HTTP/1.1\r\nHost: {HOST}\r\n{FORM}"


def test_SE_11_of_two_framings_one_request_is_read_and_the_connection_closes(served: Served) -> None:
    """Chunked wins and the smuggled request behind it is never answered, or 400."""
    smuggled = f"GET /oauth/jwks HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    for framing in (
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity, chunked\r\nContent-Length: 50\r\n",
    ):
        answer = served.raw(f"{POST}{framing}\r\n0\r\n\r\n{smuggled}".encode())
        assert statuses(answer) in ([400], [401], [411]), framing
        assert b"onnection: close" in answer
    for framing in (
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n", "Content-Length: 3\r\nContent-Length: 5\r\n", "Content-Length: 3, 3\r\n",
        "Content-Length: +3\r\n", "Content-Length: -1\r\n", "Content-Length: 0x3\r\n", "Content-Length : 3\r\n",
        "X-Folded: a\r\n b\r\n", "X-Nul: a\x00b\r\n",
    ):  # fmt: skip
        answer = served.raw(f"{POST}{framing}\r\na=b{smuggled}".encode())
        assert statuses(answer) == [400], framing
        assert b"onnection: close" in answer


def test_SE_11_a_broken_chunk_ends_the_connection(served: Served) -> None:
    smuggled = f"GET /oauth/jwks HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    for body in (b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\na=bXX0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\na\r\n"):
        answer = served.raw(f"{POST}Transfer-Encoding: chunked\r\n\r\n".encode() + body + smuggled)
        assert statuses(answer) in ([400], [401], [411], []), body
    assert statuses(served.get()) == [200]


def test_DI_03_no_target_and_no_second_host_changes_who_we_are(served: Served) -> None:
    path = "/.well-known/openid-configuration"
    absolute = f"GET http://evil.test{path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    answer = served.raw(absolute.encode())
    assert statuses(answer) in ([200], [400])
    assert b"evil" not in answer
    hosts = (
        "evil.test",
        f"a@{HOST}",
        f"{HOST} x",
        f"{HOST}.",
        f"{HOST}:99999",
        f"{HOST},evil.test",
        "",
        HOST.upper() + "\t",
    )
    for host in hosts:
        if host.strip().lower() != HOST:
            assert statuses(served.get(path, host=host)) == [400], host
    for pair in ((HOST, "evil.test"), ("evil.test", HOST)):
        two = "".join(f"Host: {host}\r\n" for host in pair)
        assert statuses(served.raw(f"GET {path} HTTP/1.1\r\n{two}Connection: close\r\n\r\n".encode())) == [400]
    assert statuses(served.raw(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())) == [400]
    spoofed = served.get(
        path, more="X_Forwarded_Host: evil.test\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\n"
    )
    assert statuses(spoofed) == [200]
    assert b"evil" not in spoofed
