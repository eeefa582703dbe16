"""A SAML identity provider by pysaml2 and Debian's xmlsec1: one person, one form, one answer by POST.

`/metadata` describes it; `/sso` takes a request by redirect, whose signature it checks; what the person typed goes to
`/login`. It knows us by our metadata alone, which it reads at its first request.
"""

import logging
import os
import sys
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_BASIC, NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

FOLDER, PORT, XMLSEC = Path(os.environ["FOLDER"]), int(os.environ["PORT"]), os.environ["XMLSEC"]
SP_METADATA, LOGIN, PASSWORD = os.environ["SP_METADATA"], os.environ["LOGIN"], os.environ["PASSWORD"]
NAME_ID, EMAIL = os.environ["NAME_ID"], os.environ["EMAIL"]
BASE = f"http://127.0.0.1:{PORT}"
BOTH = cycle([False, True])
"""Every second answer is signed as a whole too, as many providers do."""


def config(*, with_us: bool) -> IdPConfig:
    told: dict[str, Any] = {
        "entityid": f"{BASE}/metadata",
        "xmlsec_binary": XMLSEC,
        "key_file": str(FOLDER / "key.pem"),
        "cert_file": str(FOLDER / "certificate.pem"),
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [(f"{BASE}/sso", BINDING_HTTP_REDIRECT)]},
                "want_authn_requests_signed": True,
                "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                "policy": {
                    "default": {
                        "lifetime": {"minutes": 5},
                        "attribute_restrictions": None,
                        "name_form": NAME_FORMAT_BASIC,
                    }
                },
            }
        },
        "metadata": {"remote": [{"url": SP_METADATA}]} if with_us else {},
    }
    return IdPConfig().load(told)


class Provider:
    """pysaml2's server, made when it is first asked for: then our metadata can be read."""

    def __init__(self) -> None:
        self._lock, self._server = Lock(), None

    def __call__(self) -> Server:
        with self._lock:
            self._server = self._server or Server(config=config(with_us=True))
            return self._server


provider = Provider()


class Pages(BaseHTTPRequestHandler):
    """The provider's three pages."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/metadata":
            self._send(str(entity_descriptor(config(with_us=False))), "application/samlmetadata+xml")
        elif parts.path == "/sso":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._parse(query)
            hidden = "".join(_hidden(name, value) for name, value in query.items())
            fields = '<input name="login"><input name="secret" type="password">'
            self._page(f'<form method="post" action="/login">{hidden}{fields}<button class="primary">Sign in</button></form>')
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        if form.get("login") != LOGIN or form.get("secret") != PASSWORD:
            self.send_error(403)
            return
        asked = self._parse(form)
        server = provider()
        where = server.response_args(asked.message, [BINDING_HTTP_POST])
        answer = server.create_authn_response(
            identity={"mail": EMAIL, "givenName": "Grace", "sn": "Nakamura"},
            userid=LOGIN,
            name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=NAME_ID),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": BASE},
            sign_assertion=True,
            sign_response=next(BOTH),
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            **where,
        )
        told = server.apply_binding(
            BINDING_HTTP_POST, str(answer), where["destination"], form.get("RelayState", ""), response=True
        )
        posted = parse_form(told)
        hidden = "".join(_hidden(name, value) for name, value in posted.items())
        self._page(f'<form method="post" action="{escape(told["url"])}">{hidden}<button class="primary">On</button></form>')

    def _parse(self, query: dict[str, str]) -> Any:
        """The request, if we signed it by the key in our metadata."""
        return provider().parse_authn_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query.get("SigAlg"),
            signature=query.get("Signature"),
        )

    def _page(self, form: str) -> None:
        self._send(f"<!doctype html><title>Hospital</title><main>{form}</main>", "text/html; charset=utf-8")

    def _send(self, body: str, kind: str) -> None:
        content = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def parse_form(told: dict[str, Any]) -> dict[str, str]:
    """The hidden fields of the page that pysaml2 writes: its script is not run here, so they go into one of ours."""
    from html.parser import HTMLParser

    found: dict[str, str] = {}

    class Inputs(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            if tag == "input" and values.get("name"):
                found[str(values["name"])] = values.get("value") or ""

    Inputs().feed(str(told["data"]))
    return found


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    ThreadingHTTPServer(("127.0.0.1", PORT), Pages).serve_forever()
