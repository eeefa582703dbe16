"""The bridge with its short cuts and without them, over one application, and what both told the operator."""

from types import SimpleNamespace

import idp
from idp.foundation import logs, metrics
from idp.foundation.bridge import Bridge
from idp.oidc.at_hand import AtHand
from tests.loops import run_apart


class Proto:
    """What granian gives with a request."""

    def __init__(self, body):
        self.body, self.answer = body, None

    async def __call__(self):
        return self.body

    def response_bytes(self, status, headers, body):
        self.answer = (status, headers, body)


class Sides:
    """A bridge with its short cuts and one without any, over the same application, and what they told the operator."""

    def __init__(self, app, settings, patch):
        self.asked_flask, self.told, self.looks = 0, [], []
        self.short = idp.bridged(app, settings, at_hand=AtHand(app, run=self.looks.append))
        self.whole = Bridge(app, sign_ins=1)

        def flask(environ, start_response):
            self.asked_flask += 1
            return app(environ, start_response)

        self.short._app = flask
        left = {"request_id", "ms"}
        patch.setattr(
            logs,
            "access",
            lambda line: self.told.append({k: v for k, v in line.items() if k not in left and v is not None}),
        )
        patch.setattr(
            metrics, "observe", lambda *, seconds, **counted: self.told.append({"seconds": seconds > 0, **counted})
        )

    def look(self):
        """What the thread would do meanwhile."""
        while self.looks:
            self.looks.pop()()

    def ask(self, bridge, method, path, headers, body):
        path, _, query = path.partition("?")
        usual = {"host": "credence.test", "user-agent": "tests", "accept": "*/*"}
        length = {"content-length": str(len(body))} if method == "POST" else {}
        scope = SimpleNamespace(
            method=method, path=path, query_string=query, http_version="1.1", scheme="http", server="127.0.0.1:80",
            client="192.0.2.7:5000", headers=usual | length | headers,
        )  # fmt: skip
        proto = Proto(body)
        run_apart(bridge(scope, proto))
        return proto.answer

    def both(self, method, path, headers=None, body=b""):
        """Both answers and what was told of them, and whether Flask was left out."""
        before, self.told[:] = self.asked_flask, []
        short = self.ask(self.short, method, path, headers or {}, body), list(self.told)
        self.told[:] = []
        whole = self.ask(self.whole, method, path, headers or {}, body), list(self.told)
        return short, whole, self.asked_flask == before
