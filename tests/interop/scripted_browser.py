"""A browser without a screen: cookies, redirects and plain HTML forms; no script runs (PROTOCOL: pages are drivable)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx2

MOST_STEPS = 25


@dataclass
class Form:
    """A form of a page as it would be sent: names and values, and the button that sends it."""

    action: str
    identity: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    is_main: bool = False


class _Forms(HTMLParser):
    """Collects the forms inside <main>."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._in_main = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        if tag == "main":
            self._in_main = True
        elif tag == "form" and attrs.get("method", "get").lower() == "post" and self._in_main:
            self._open = Form(attrs.get("action", ""), attrs.get("id", ""))
            self.forms.append(self._open)
        elif tag in ("input", "button") and self._open is not None:
            self._take(tag, attrs, self._open)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "main":
            self._in_main = False

    def _take(self, tag: str, attrs: dict[str, str], form: Form) -> None:
        name, kind = attrs.get("name", ""), attrs.get("type", "submit" if tag == "button" else "text")
        if kind == "submit":
            if "primary" in attrs.get("class", "") or attrs.get("id") in ("login-submit", "consent-allow"):
                form.is_main = True
                if name:
                    form.fields[name] = attrs.get("value", "")
            return
        if not name:
            return
        form.names.add(name)
        if kind == "radio" and name in form.fields and "checked" not in attrs:
            return
        if kind != "checkbox" or "checked" in attrs or "required" in attrs:
            form.fields[name] = attrs.get("value", "on" if kind == "checkbox" else "")


class ScriptedBrowser:
    """Goes from an authorization request to the redirect URI, typing login, password and code on the way.

    `instead` says who answers for an origin in its place (as /etc/hosts would): nothing else of a request changes.
    """

    def __init__(
        self,
        *,
        login: str,
        password: str,
        code: Callable[[], str] | None = None,
        instead: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._typed, self._code = {"username": login, "password": password}, code
        sent = {"Accept-Language": "en", **(headers or {})}
        self._http = httpx2.Client(transport=_Instead(instead or {}), timeout=10, headers=sent)

    def __enter__(self) -> "ScriptedBrowser":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def go(self, url: str, *, until: str) -> str:
        """The first address below `until` that a redirect leads to; it is not fetched."""
        answer = self.send("GET", url)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["Location"])
                if target.startswith(until):
                    return target
                answer = self.send("GET", target)
            else:
                answer = self._typed_into(answer)
        raise AssertionError(f"too many pages; the last was {answer.url}")

    def visit(self, url: str) -> httpx2.Response:
        """What a page of a relying party's shows in the end, whatever sign-in it asks for on the way."""
        origin, answer = _origin(url), self.send("GET", url)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                answer = self.send("GET", urljoin(str(answer.url), answer.headers["Location"]))
            elif _origin(str(answer.url)) == origin:
                return answer
            else:
                answer = self._typed_into(answer)
        raise AssertionError(f"too many pages; the last was {answer.url}")

    def types(self, **typed: str) -> None:
        """From now on, in the fields of these names."""
        self._typed |= typed

    def followed(self, answer: httpx2.Response) -> httpx2.Response:
        """Where redirects lead."""
        while answer.is_redirect:
            answer = self.send("GET", urljoin(str(answer.url), answer.headers["Location"]))
        return answer

    def go_on(self, answer: httpx2.Response) -> httpx2.Response:
        """Fill in what this page asks, and send it."""
        return self._typed_into(answer)

    def _typed_into(self, answer: httpx2.Response) -> httpx2.Response:
        assert answer.status_code == 200, f"{answer.status_code} at {answer.url}: {answer.text[-1500:]}"
        form = _main_form(answer.text, at=str(answer.url))
        typed = {name: value for name, value in self._typed.items() if name in form.names}
        if "code" in form.names and self._code is not None:
            typed["code"] = self._code()
        action = urljoin(str(answer.url), form.action)
        return self.send("POST", action, data={**form.fields, **typed}, headers={"Origin": _origin(action)})

    def fill(self, url: str, **typed: str) -> httpx2.Response:
        """Opens a page and sends its form."""
        form = _main_form(self.send("GET", url).text, at=url)
        action = urljoin(url, form.action)
        return self.send("POST", action, data={**form.fields, **typed}, headers={"Origin": _origin(action)})

    def send(self, method: str, url: str, **more: Any) -> httpx2.Response:
        """Every request goes through here."""
        return self._http.request(method, url, **more)


class _Instead(httpx2.BaseTransport):
    """Brings the requests of some origins to others; the `Host` stays as the browser wrote it."""

    def __init__(self, instead: Mapping[str, str]) -> None:
        self._instead, self._network = instead, httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        actual = self._instead.get(_origin(str(request.url)))
        if actual is None:
            return self._network.handle_request(request)
        url = request.url.copy_with(port=httpx2.URL(actual).port)
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
        return self._network.handle_request(
            httpx2.Request(request.method, url, headers=headers, content=request.read(), extensions=request.extensions)
        )

    def close(self) -> None:
        self._network.close()


def _origin(url: str) -> str:
    parts = httpx2.URL(url)
    return f"{parts.scheme}://{parts.host}:{parts.port}"


def _main_form(page: str, *, at: str) -> Form:
    parser = _Forms()
    parser.feed(page)
    for form in parser.forms:
        if form.is_main:
            return form
    raise AssertionError(f"no form to send at {at}: {page[-1500:]}")
