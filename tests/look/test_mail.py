"""Mail's frame: complete without a style sheet, and its text part says the same (LOOK, Mail)."""

from types import SimpleNamespace

import pytest
from flask import Flask

from idp.foundation.mail_style import mail_styles


def words() -> dict[str, object]:
    return {
        "subject": "Choose a new password",
        "name": "Rosa <b>Delgado</b>",
        "portal": "Northlake Exchange",
        "accent": "#0B6468",
        "language": "en",
        "brand": SimpleNamespace(help_phone="1-800-555-0118", help_hours=None),
        "url": "https://credence.test/sign-in/reset",
        "expires_at": object(),
        "moment": lambda at: "Nov 26, 2026, 3:10 pm CST",
        "forgot_password_url": "https://credence.test/sign-in/forgot-password",
    }


def test_the_html_part_has_its_styles_inside_and_nothing_from_elsewhere(bare_app: Flask) -> None:
    with bare_app.app_context():
        html = bare_app.jinja_env.get_template("notices/_base.html").render(words())
    assert "class=" not in html
    assert "max-width:560px" in html
    assert 'bgcolor="#0B6468"' in html
    assert "<img" not in html
    assert "Rosa &lt;b&gt;Delgado" in html
    assert html.count("https://credence.test/sign-in/reset") == 3, "the button, and its full address below"


def test_the_text_part_is_plain_text(bare_app: Flask) -> None:
    with bare_app.app_context():
        text = bare_app.jinja_env.get_template("notices/_base.txt").render(words())
    assert "Rosa <b>Delgado</b>" in text, "text is not HTML, so nothing is escaped"
    for said in ("https://credence.test/sign-in/reset", "Nov 26, 2026, 3:10 pm CST", "1-800-555-0118", "Northlake"):
        assert said in text


def test_a_class_without_a_rule_is_noticed() -> None:
    with pytest.raises(KeyError):
        mail_styles('<td class="nowhere">')
