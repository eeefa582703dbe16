"""The things one running application has one of, found by their type.

`create_app` puts them in; services ask for them without knowing Flask.
"""

from typing import Any, TypeVar

from flask import Flask, current_app
from flask.globals import _cv_app

Piece = TypeVar("Piece")


def furnish(app: Flask, piece: object, *, kind: type | None = None) -> None:
    """Keep `piece` under its class (or `kind`) for `piece_of`."""
    app.extensions.setdefault("credence", {})[kind or type(piece)] = piece


def get(kind: type[Piece]) -> Piece:
    """The running application's one `kind`; a `KeyError` means that `create_app` forgot it."""
    piece: Piece = _extensions()["credence"][kind]
    return piece


def get_or_make(kind: type[Piece]) -> Piece:
    """The running application's one `kind`, made at the first asking: for caches, which begin empty."""
    pieces: dict[Any, Piece] = _extensions().setdefault("credence", {})
    piece = pieces.get(kind)
    return piece if piece is not None else pieces.setdefault(kind, kind())


def _extensions() -> dict[str, Any]:
    """Not by Flask's proxy, which costs ten calls: a sign-in asks fifty times."""
    context = _cv_app.get(None)
    return context.app.extensions if context is not None else current_app.extensions
