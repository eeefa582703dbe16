"""The things one running application has one of, found by their type.

`create_app` puts them in; services ask for them without knowing Flask.
"""

from typing import TypeVar, cast

from flask import Flask, current_app

Piece = TypeVar("Piece")


def furnish(app: Flask, piece: object, *, kind: type | None = None) -> None:
    """Keep `piece` under its class (or `kind`) for `piece_of`."""
    app.extensions.setdefault("credence", {})[kind or type(piece)] = piece


def get(kind: type[Piece]) -> Piece:
    """The running application's one `kind`; a `KeyError` means that `create_app` forgot it."""
    return cast(Piece, current_app.extensions["credence"][kind])


def get_or_make(kind: type[Piece]) -> Piece:
    """The running application's one `kind`, made at the first asking: for caches, which begin empty."""
    pieces = current_app.extensions.setdefault("credence", {})
    piece = pieces.get(kind)
    return cast(Piece, piece if piece is not None else pieces.setdefault(kind, kind()))
