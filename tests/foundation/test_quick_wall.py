"""What the quick wall lets in is what the outer wall and the proxies pass on as it is; it is never laxer."""

from types import SimpleNamespace

import pytest

import idp
from idp.foundation import short_cuts
from idp.foundation.bridge import environ_of
from idp.foundation.outer_wall import MAX_HEADER_BYTES

HOST = ("host", "credence.test")


class Sent(list):
    """A request's headers as granian gives them: pairs, one by one."""

    def items(self):
        return self


@pytest.fixture
def walls(app, settings):
    """The quick wall, and the outer wall as the application has it, telling what it passes on."""
    quick, passed = idp.bridged(app, settings)._quick_wall, []

    def inner(environ, start_response):
        passed.append(environ)
        start_response("200 OK", [])
        return [b""]

    outer = idp.walled(inner, settings)

    def ask(*headers, method="POST", query="", client="192.0.2.7:5000"):
        scope = SimpleNamespace(
            method=method, path="/oauth/token", query_string=query, http_version="1.1", scheme="http",
            server="127.0.0.1:80", client=client, headers=Sent(headers),
        )  # fmt: skip
        outer(environ_of(scope), lambda *_: None).close()
        return quick.admit(scope), passed.pop()

    return ask


def test_T22_nothing_that_the_outer_wall_refuses_is_let_in(walls):
    for odd in (
        (("host", "evil.test"),),
        (),
        (HOST, HOST),
        (HOST, ("authorization", "Basic eDp5"), ("authorization", "Basic eDp5")),
        (HOST, ("authorization", "Basic eDp5,x")),
        (HOST, ("content-type", "text/plain,text/html")),
        (HOST, ("content-type", "Multipart/form-data; boundary=x")),
        (HOST, ("user-agent", "x" * (MAX_HEADER_BYTES - 30))),
    ):
        admitted, environ = walls(*odd)
        assert "credence.refusal" in environ and admitted is None, odd
    for method in ("GET", "POST"):
        assert walls(HOST, ("content-type", "multipart/x"), method=method)[0] is None


def test_T22_whatever_is_sent_twice_or_is_not_known_is_for_flask(walls):
    for odd in (("x-forwarded-for", "10.0.0.1"), ("accept", "*/*")):
        assert walls(HOST, odd, odd)[0] is None, odd
    for name in ("cookie", "dpop", "origin", "transfer-encoding", "x_forwarded_for", "x-more", "expect", "range"):
        assert walls(HOST, (name, "x"))[0] is None, name
    assert walls(HOST, query="a=b")[0] is None
    assert walls(HOST)[0] is not None


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_DI_02_as_many_proxies_are_believed_as_the_operator_named(app, settings, hops):
    from functools import partial

    from idp.foundation.quick_wall import QuickWall

    changed = settings.model_copy(update={"trusted_proxies": hops})
    quick = QuickWall(settings=changed, behind_proxies=partial(idp._behind_proxies, settings=changed))
    for forwarded in (None, "", "198.51.100.1", "198.51.100.1, 198.51.100.2", "a,,b", '"x, y", 10.0.0.1'):
        for client in ("192.0.2.7:5000", "[2001:db8::1]:5000"):
            sent = [HOST] if forwarded is None else [HOST, ("x-forwarded-for", forwarded)]
            scope = SimpleNamespace(
                method="GET", path="/oauth/jwks", query_string="", http_version="1.1", scheme="http",
                server="127.0.0.1:80", client=client, headers=Sent(sent),
            )  # fmt: skip
            environ = environ_of(scope)
            idp._behind_proxies(lambda *_: [], changed)(environ, None)
            assert quick.admit(scope).address == environ["REMOTE_ADDR"], (forwarded, client)


def test_every_known_header_is_in_lower_case():
    assert all(name == name.lower() and "_" not in name for name in short_cuts.KNOWN)
