"""Whether a brand can be read by everybody (LOOK, Brands; WCAG 2.2 §1.4.3 and §1.4.6)."""

import re
from collections.abc import Iterator
from typing import Final

from idp.relying_parties.faults import Fault
from idp.relying_parties.manifest import Brand

WHITE: Final = "#FFFFFF"
SURFACE: Final = {"light": "#FFFFFF", "dark": "#182129"}
CANVAS: Final = {"light": "#F4F6F8", "dark": "#0F161C"}
ACCENT_AT_LEAST: Final = 4.5
FILL_AT_LEAST: Final = 4.5
BAND_AT_LEAST: Final = 7.0
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}\Z", re.ASCII)
_NAMES: Final = ("accent_light", "accent_dark", "soft_light", "soft_dark", "fill_dark", "band_light", "band_dark")


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#RRGGBB` (WCAG 2.2, "contrast ratio"): 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def faults(brand: Brand) -> Iterator[Fault]:
    """Colours that are none, and pairs that are too hard to read, with their ratio."""
    wrong = [name for name in _NAMES if not _COLOUR.match(getattr(brand, name))]
    for name in wrong:
        yield Fault(("brand", name), "is not a colour #RRGGBB")
    if not brand.initials.isalnum():
        yield Fault(("brand", "initials"), "are one or two letters or digits")
    if wrong:
        return
    for theme in ("light", "dark"):
        accent = f"accent_{theme}"
        grounds = {"surface": SURFACE[theme], "canvas": CANVAS[theme], "soft": getattr(brand, f"soft_{theme}")}
        for ground, colour in grounds.items():
            yield from _too_close(accent, getattr(brand, accent), f"on {theme} {ground}", colour, ACCENT_AT_LEAST)
        yield from _too_close(f"band_{theme}", getattr(brand, f"band_{theme}"), "under white", WHITE, BAND_AT_LEAST)
    yield from _too_close("fill_dark", brand.fill_dark, "under white", WHITE, FILL_AT_LEAST)
    yield from _too_close("accent_light", brand.accent_light, "as fill under white", WHITE, FILL_AT_LEAST)


def _too_close(name: str, colour: str, where: str, other: str, least: float) -> Iterator[Fault]:
    ratio = contrast(colour, other)
    if ratio < least:
        yield Fault(("brand", name), f"has a contrast of {ratio:.2f} {where}; at least {least:g} is needed")


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
