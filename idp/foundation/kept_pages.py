"""Pages that look alike to everybody who meets them: rendered once, then only what moves is filled in.

What a page may show is its key: the variables given to it, whose page it is, the language, the rest of its address, and
what rooms hang into pages from the database (`varies`). Pages that name a person or tell of an error are never kept.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from flask import Flask, g, render_template, request

from idp.foundation import csrf_tokens, house
from idp.foundation.i18n import asked_wish, language

MOST: Final = 256
_PERSONAL: Final = ("person_name", "acting_for", "not_you_url", "is_error_page")
_PLAIN: Final = (str, bool, int, type(None))


class Kept(dict[Hashable, tuple[str, ...]]):
    """One process's pages, each as what stands between the places of the transaction's id and of the CSRF token."""

    def __init__(self) -> None:
        super().__init__()
        self.varying: list[Callable[[], Hashable]] = []

    def forget(self) -> None:
        """Hold no page, as a new process would."""
        self.clear()


class Same:
    """This very object and no other, however much alike; kept alive, so that no other can take its place."""

    __slots__ = ("_thing",)

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._thing is other._thing

    def __hash__(self) -> int:
        return id(self._thing)


def varies(app: Flask, with_: Callable[[], Hashable]) -> None:
    """Let kept pages differ by what a room shows in them; asked for each of them, at each request."""
    app.extensions.setdefault("credence", {}).setdefault(Kept, Kept()).varying.append(with_)


def render(template: str, *, txn: str, **shown: Any) -> str:
    """As `render_template`, for a step's page; `shown` must tell nothing of a person."""
    if any(g.get(name) for name in _PERSONAL) or request.query_string or txn not in request.path:
        return render_template(template, txn=txn, **shown)
    pages, token = house.get_or_make(Kept), csrf_tokens.of_this_page()
    key = key_of(
        template, txn=txn, path=request.path, language=language(), wish=asked_wish(), party=g.get("party"), shown=shown
    )
    parts = pages.get(key)
    if parts is None:
        page = render_template(template, txn=txn, **shown)
        parts = _apart(page, txn=txn, token=token)
        if len(pages) >= MOST:
            pages.clear()
        pages[key] = parts
    return _filled(parts, txn=txn, token=token)


def key_of(
    template: str, *, txn: str, path: str, language: str, wish: str, party: object, shown: Mapping[str, Any]
) -> Hashable:
    """All that such a page may differ by, but for its transaction and token."""
    about = tuple((name, value if isinstance(value, _PLAIN) else Same(value)) for name, value in shown.items())
    varying = (ask() for ask in house.get_or_make(Kept).varying)
    return (template, path.replace(txn, ""), language, wish, Same(party), about, *varying)


def find(key: Hashable, *, txn: str, token: str) -> str | None:
    """The page of this key, for another transaction and browser; `None` where it was not rendered yet."""
    parts = house.get_or_make(Kept).get(key)
    return None if parts is None else _filled(parts, txn=txn, token=token)


def _filled(parts: tuple[str, ...], *, txn: str, token: str) -> str:
    return "".join(txn if part is _TXN else token if part is _TOKEN else part for part in parts)


_TXN: Final = "\0txn"
_TOKEN: Final = "\0token"


def _apart(page: str, *, txn: str, token: str) -> tuple[str, ...]:
    parts: list[str] = []
    for piece in page.split(token):
        for text in piece.split(txn):
            parts += (text, _TXN)
        parts[-1] = _TOKEN
    return tuple(parts[:-1])
