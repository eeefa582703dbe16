"""LOOK's promises that can be computed: contrast of every token pair, weight, and nothing inline anywhere."""

import re

import pytest

from idp.foundation import pages
from idp.relying_parties.look.rules import contrast

CSS = (pages.STATIC / "credence.css").read_text(encoding="utf-8")
TOKEN = re.compile(r"--([a-z-]+):(#[0-9A-Fa-f]{6})")


def tokens(theme: str) -> dict[str, str]:
    light = dict(TOKEN.findall(CSS[CSS.index(":root{") : CSS.index(":root[data-theme=dark]")]))
    dark = dict(
        TOKEN.findall(CSS[CSS.index(":root[data-theme=dark]") : CSS.index("@media (prefers-color-scheme:dark)")])
    )
    chosen = light if theme == "light" else {**light, **dark}
    own = {name: light[f"{name}-{theme}"] for name in ("accent", "soft", "band")}
    return {**chosen, **own, "fill": light["accent-light" if theme == "light" else "fill-dark"]}


GROUNDS = ("canvas", "surface", "sunken")
PAIRS = [
    *((text, ground, 4.5) for text in ("text", "muted", "accent") for ground in (*GROUNDS, "soft")),
    *(("field", ground, 3.0) for ground in (*GROUNDS, "soft")),
    *(("focus", ground, 3.0) for ground in (*GROUNDS, "soft", "danger-bg", "ok-bg", "warn-bg", "info-bg")),
    *((status, f"{status}-bg", 4.5) for status in ("danger", "ok", "warn", "info", "neutral")),
    *(("text", f"{status}-bg", 7.0) for status in ("danger", "ok", "warn", "info", "neutral")),
    *(("danger", ground, 4.5) for ground in GROUNDS),
    *(("ok", ground, 4.5) for ground in GROUNDS),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_X6_every_pair_of_tokens_can_be_read(theme: str, ink: str, ground: str, least: float) -> None:
    known = tokens(theme)
    assert contrast(known[ink], known[ground]) >= least


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_X6_white_can_be_read_on_button_and_band(theme: str) -> None:
    known = tokens(theme)
    assert contrast("#FFFFFF", known["fill"]) >= 4.5
    assert contrast("#FFFFFF", known["band"]) >= 7


def test_the_two_dark_themes_are_one() -> None:
    dark = re.search(r":root\[data-theme=dark\]\{(.*?)\n\}", CSS, re.DOTALL)
    by_system = re.search(r":root:not\(\[data-theme\]\)\{(.*?)\n\}\}", CSS, re.DOTALL)
    assert dark is not None
    assert by_system is not None
    assert dark[1] == by_system[1]


def test_the_stylesheet_is_light_and_fetches_nothing() -> None:
    assert len(CSS.encode()) < 30 * 1024
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "@font-face" not in CSS


def test_people_who_need_it_get_less_motion_more_contrast_and_big_targets() -> None:
    for needed in ("prefers-reduced-motion", "forced-colors:active", "min-height:44px", ":focus-visible{outline:3px"):
        assert needed in CSS


def test_a_first_page_weighs_less_than_60_kb() -> None:
    together = sum(
        (pages.STATIC / name).stat().st_size for name in ("credence.css", "credence.js", "symbols.svg", "icon.svg")
    )
    assert together < 45 * 1024, "the page itself and the brand's colours need the rest"


@pytest.mark.parametrize("template", sorted(pages.TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_SE_07_no_template_holds_inline_code_or_style(template) -> None:
    source = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:|\|\s*safe\b", source)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source))


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', (pages.STATIC / "symbols.svg").read_text(encoding="utf-8")))
    for template in pages.TEMPLATES.rglob("*.html"):
        source = template.read_text(encoding="utf-8")
        named = re.findall(r"""icon\(["']([a-z]+)["']\)|icon_name=["']([a-z]+)["']""", source)
        assert {one or other for one, other in named} <= drawn, template.name


def test_C4_a_QR_code_is_drawn_with_lines_of_its_own() -> None:
    """Icons have thick round lines; a QR code of such lines is one black blot, and no telephone reads it."""
    (rule,) = re.findall(r"^\.qr\{([^}]*)\}", CSS, flags=re.MULTILINE)
    assert {"stroke-width:1", "stroke-linecap:butt", "background:#fff"} <= set(rule.split(";"))
