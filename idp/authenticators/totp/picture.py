"""The QR code as SVG inside the page: no address holds the secret, and the page's policy allows no style (MF-09)."""

import segno
from markupsafe import Markup


def qr_code(text: str, *, title: str) -> Markup:
    """An SVG drawing of `text`; drawn by us from our own secret, so it is markup."""
    made = segno.make(text, error="m", micro=False)
    svg = made.svg_inline(scale=1, border=4, omitsize=True, svgclass="qr", lineclass="qr-dark", title=title)
    return Markup(svg)  # noqa: S704 - segno escapes the title, everything else is numbers
