"""Brands that can be read (LOOK, Brands), logos that are only drawings (DR-05)."""

import pytest

from idp.relying_parties.look.logo import wrong_logo
from idp.relying_parties.look.rules import contrast, faults
from idp.relying_parties.manifest import Brand

OZARK = {
    "accent_light": "#0B6468",
    "accent_dark": "#5CC8CB",
    "soft_light": "#E4F2F2",
    "soft_dark": "#12302F",
    "fill_dark": "#1F7F83",
    "band_light": "#084C50",
    "band_dark": "#0A3336",
    "initials": "OX",
}


def test_contrast_is_the_ratio_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
    assert contrast("#0B6468", "#FFFFFF") == pytest.approx(6.9, abs=0.05)
    assert contrast("#5CC8CB", "#182129") == pytest.approx(8.2, abs=0.05)


def test_a_readable_brand_has_no_fault() -> None:
    assert list(faults(Brand(**OZARK))) == []


@pytest.mark.parametrize(
    ("name", "colour", "reason"),
    [
        ("accent_light", "#7FB7BA", "on light surface"),
        ("accent_light", "#7FB7BA", "on light canvas"),
        ("accent_light", "#7FB7BA", "on light soft"),
        ("accent_light", "#7FB7BA", "as fill under white"),
        ("accent_dark", "#0B6468", "on dark surface"),
        ("accent_dark", "#0B6468", "on dark canvas"),
        ("accent_dark", "#0B6468", "on dark soft"),
        ("fill_dark", "#5CC8CB", "under white"),
        ("band_light", "#0B6468", "6.91 under white; at least 7 is needed"),
        ("band_dark", "#1F7F83", "under white"),
    ],
)
def test_colours_that_are_hard_to_read_are_refused(name: str, colour: str, reason: str) -> None:
    found = list(faults(Brand(**(OZARK | {name: colour}))))
    assert any(fault.path == ("brand", name) and reason in fault.reason for fault in found), found


@pytest.mark.parametrize("colour", ["teal", "#FFF", "0B6468", "#0B646G", "#0B6468;}", "#0B6468\n"])
def test_only_six_hexadecimal_digits_are_a_colour(colour: str) -> None:
    (fault,) = faults(Brand(**(OZARK | {"soft_dark": colour})))
    assert fault.path == ("brand", "soft_dark")
    assert "#RRGGBB" in fault.reason


def test_initials_are_letters() -> None:
    (fault,) = faults(Brand(**(OZARK | {"initials": "<b"})))
    assert fault.path == ("brand", "initials")


def svg(inside: str = "", *, box: str = "0 0 36 36", extra: str = "") -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {extra}>{inside}</svg>'


def test_a_drawing_is_a_logo() -> None:
    gradient = '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>'
    assert wrong_logo(svg(gradient + '<g transform="translate(1 2)"><path d="M0 0h9" fill="url(#a)"/></g>')) is None
    assert wrong_logo('<?xml version="1.0" encoding="UTF-8"?>' + svg("<!-- ours -->", box="0 0 160 36")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (svg("<script>alert(1)</script>"), "<script>"),
        (svg("<foreignObject/>"), "<foreignObject>"),
        (svg("<style>*{}</style>"), "<style>"),
        (svg('<image href="https://evil.example/x"/>'), "<image>"),
        (svg('<use href="#a"/>'), "<use>"),
        (svg('<a href="javascript:alert(1)"/>'), "<a>"),
        (svg("<animate/>"), "<animate>"),
        (svg('<html xmlns="http://www.w3.org/1999/xhtml"/>'), "<html>"),
        (svg('<path onclick="x"/>'), "attribute onclick"),
        (svg('<path style="fill:red"/>'), "attribute style"),
        (svg(extra='onload="alert(1)"'), "attribute onload"),
        (svg('<path xmlns:x="http://www.w3.org/1999/xlink" x:href="x"/>'), "attribute href"),
        (svg('<path fill="url(https://evil.example/x)"/>'), "refers to something outside"),
        (svg('<path fill="url( #a) url(//evil.example)"/>'), "refers to something outside"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), "declaration"),
        ('<?xml-stylesheet href="https://evil.example"?>' + svg(), "declaration"),
        (svg("<![CDATA[x]]>"), "declaration"),
        ("<svg", "well-formed"),
        ("<svg/>", "not an SVG"),
        ("<html/>", "not an SVG"),
        (svg(box=""), "viewBox"),
        (svg(box="0 0 200 36"), "wider than 160"),
        (svg(box="0 0 36 0"), "wider than 160"),
        (svg("<title>" + "x" * 21_000 + "</title>"), "larger than 20 KB"),
    ],
)
def test_DR_05_anything_but_plain_shapes_is_refused(text: str, reason: str) -> None:
    assert reason in (wrong_logo(text) or "accepted")
