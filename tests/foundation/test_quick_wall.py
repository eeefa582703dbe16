"""What the quick wall lets in is what the outer wall and the proxies pass on as it is; it is never laxer."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.test import EnvironBuilder

import idp
from idp.foundation import health, short_cuts
from idp.foundation.bridge import environ_of
from idp.foundation.outer_wall import MAX_HEADER_BYTES
from idp.foundation.quick_wall import HEEDED

HOST = ("host", "credence.test")


class Sent:
    """A request's headers as granian gives them: pairs, one by one, without those whose value is not ASCII."""

    def __init__(self, pairs):
        self.pairs = list(pairs)

    def items(self):
        return [(name, value) for name, value in self.pairs if value.isascii()]

    def keys(self):
        return list(dict(self.pairs))

    def get(self, name, default=None):
        first = next((value for known, value in self.pairs if known == name), "\xff")
        return first if first.isascii() else default


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
        (("host", ""), HOST),
        (HOST, ("authorization", ""), ("authorization", "Basic eDp5")),
        (HOST, ("content-type", ""), ("content-type", "text/plain")),
        *(((name, "\xff"), HOST) for name in sorted(HEEDED)),
        (HOST, ("x-forwarded-for", "\xff, 192.0.2.1"), ("x-forwarded-for", "192.0.2.2")),
        (HOST, ("authorization", "\xff"), ("authorization", "Basic eDp5")),
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


def test_T22_a_value_that_is_not_ascii_locks_nobody_out_whose_browser_or_neighbour_sent_it(walls):
    for name in ("user-agent", "cookie", "accept-language", "x-remote-user"):
        admitted, environ = walls(HOST, (name, "caf\xe9"))
        assert admitted is None and "credence.refusal" not in environ, name
        assert f"HTTP_{name.upper().replace('-', '_')}" not in environ


def test_T22_every_header_that_is_read_is_heeded_or_gains_nobody_anything():
    source = "".join(path.read_text() for path in sorted(Path(idp.__file__).parent.rglob("*.py")))
    read = re.findall(r'headers(?:\.get\(|\[)"([\w-]+)"[,)\]](?!\s*=)|"HTTP_(\w+)"', source)
    names = {(name or key).lower().replace("_", "-") for name, key in read}
    ours = {
        "user-agent",
        "cookie",
        "accept-language",
        "cache-control",
        "location",
        "retry-after",
        "content-security-policy",
    }
    assert {"origin", "sec-fetch-site", "x-forwarded-for"} <= names
    assert names - ours - HEEDED == set()


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


@pytest.mark.parametrize(
    ("hops", "forwarded", "opens"),
    [
        (0, None, True),
        (0, "203.0.113.9", False),
        (1, None, False),
        (1, "127.0.0.1", True),
        (1, "203.0.113.9", False),
        (2, "203.0.113.9", False),
        (2, "127.0.0.1, 10.0.0.1", True),
        (2, ",127.0.0.1", False),
    ],
)
def test_DI_05_loopback_reads_metrics_and_is_no_proxy_that_named_nobody(app, settings, hops, forwarded, opens):
    changed = settings.model_copy(update={"trusted_proxies": hops})
    with app.app_context():
        seen = []

        def inner(environ, _):
            with app.request_context(environ):
                seen.append(health._may_measure(changed))
            return []

        sent = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        asked = EnvironBuilder("/metrics", headers=sent, environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_environ()
        idp._behind_proxies(inner, changed)(asked, None)
    assert seen == [opens]
