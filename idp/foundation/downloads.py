"""Files that are made while they are sent: nothing is held between two parts, so a slow client costs no connection."""

from collections.abc import Iterator

from flask import Flask, Response, current_app


def download(parts: Iterator[str], *, name: str, mimetype: str = "text/csv") -> Response:
    """A file to keep; what `parts` does between two of them sees the application, and no request."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(_each(app, parts), mimetype=mimetype, headers=headers)


def _each(app: Flask, parts: Iterator[str]) -> Iterator[str]:
    while True:
        with app.app_context():  # for one part alone: the server may ask for the next one from another thread
            part = next(parts, None)
        if part is None:
            return
        yield part
