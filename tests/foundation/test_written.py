"""What a line must not break apart, and telephones as people read them."""

import pytest
from markupsafe import Markup

from idp.foundation import written


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("+14175550100", "(417) 555-0100"),
        ("+442071234567", "+442071234567"),
        ("+11175550100", "+11175550100"),
        ("+1417555010", "+1417555010"),
        (None, ""),
    ],
)
def test_a_telephone_stands_as_its_country_writes_it(kept: str | None, shown: str) -> None:
    assert written.telephone(kept) == shown


def test_a_heading_keeps_its_hyphen_on_one_line_and_stays_text() -> None:
    assert written.unbroken("Your e-mail & <b>") == Markup('Your <span class="nowrap">e-mail</span> &amp; &lt;b&gt;')
    assert written.unbroken("Inicio de sesión") == "Inicio de sesión"
