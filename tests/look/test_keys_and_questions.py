"""The fields of site keys and challenge questions: labelled as the portals word them, in pages of any ceremony."""

import re
from html import unescape

import pytest

from idp.authenticators.challenge_questions import words as questions
from idp.authenticators.challenge_questions.rules import GROUPS
from idp.authenticators.site_key import words as site_keys
from tests.attacks.strings import POLYGLOTS

GROUPED = [[(key, questions.QUESTIONS[key]) for key in group] for group in GROUPS]
MORE = {"site_key": {"pictures": site_keys.choices()}, "challenge_questions": {"groups": GROUPED}}


@pytest.fixture
def step(rendered):
    """The fields of one step, as a page of a ceremony includes them."""

    def show(name: str, *, mode: str = "groups", values=None, errors=None) -> str:
        return rendered(
            "{% include template %}",
            template=f"enrollment/steps/{name}.html",
            options={"mode": mode},
            more=MORE[name],
            label=lambda _field, usual: str(usual),
            values=values or {},
            errors=errors or {},
        )

    return show


def labels(html: str) -> list[str]:
    """What stands at each field, without markup."""
    found = re.findall(r"<label\b[^>]*>(.*?)</label>", html, re.DOTALL)
    return [_said(each).replace(" *", "*") for each in found]


def _said(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_A6_a_picture_is_one_of_many_real_radios_with_its_name(step) -> None:
    html = step("site_key", values={"site_key": "balloon", "passphrase": "lemon cake"})
    radios = re.findall(
        r'<input type="radio" id="site_key-([a-z_]+)" name="site_key" value="([a-z_]+)" required( checked)?>', html
    )
    assert [key for key, _, _ in radios] == [value for _, value, _ in radios] == [key for key, _ in site_keys.choices()]
    assert [key for key, _, checked in radios if checked] == ["balloon"]
    legend = re.search(r"<legend>(.*?)</legend>", html, re.DOTALL)
    assert legend is not None
    assert _said(legend[1]) == "Site Key *"
    assert labels(html)[-1] == "Passphrase*"
    assert labels(html)[:5] == ["Apple", "Balloon", "Balloons", "Baseball", "Billiards"]
    assert html.count('alt=""') == len(radios), "the name beside the picture is read once"
    assert 'value="lemon cake"' in html
    assert "immutable" not in html


def test_A6_what_is_wrong_is_tied_to_its_field(step) -> None:
    html = step("site_key", errors={"site_key": "Choose.", "passphrase": "Enter."})
    assert re.search(r'<fieldset class="group" id="site_key" aria-describedby="site_key-error"', html)
    assert re.search(r'<input[^>]*id="passphrase"[^>]*aria-invalid="true"', html)


def test_A7_three_lists_with_their_answers(step) -> None:
    html = step("challenge_questions", values={"question_2": "parents_met", "answer_2": "CNRY"})
    assert labels(html) == [
        "Challenge Question #1*", "Answer to #1*", "Challenge Question #2*", "Answer to #2*", "Challenge Question #3*",
        "Answer to #3*",
    ]  # fmt: skip
    assert re.findall(r'<option value="([a-z_]+)" selected>', html) == ["parents_met"]
    assert "CNRY" not in html, "answers are never written back"
    for number, group in enumerate(GROUPS, start=1):
        inside = html.split(f'id="question_{number}"', 1)[1].split("</select>", 1)[0]
        assert re.findall(r'<option value="([a-z_]+)"', inside) == list(group)


def test_D3_questions_of_ones_own_with_the_note_that_case_counts(step) -> None:
    typed = {"question_1": "Who?", "answer_1": "CNRY"}
    html = step("challenge_questions", mode="own", values=typed, errors={"answer_1": "No."})
    assert labels(html) == ["1st Secret Question*", "1st Answer*", "2nd Secret Question", "2nd Answer"]
    assert "case-sensitive" in html
    assert 'value="Who?"' in html
    assert "CNRY" not in html
    assert re.search(r'<input[^>]*id="answer_1"[^>]*aria-describedby="answer_1-error"', html)


@pytest.mark.parametrize("evil", [each for each in POLYGLOTS if each.isprintable()])
def test_AD_15_typed_phrases_and_questions_are_text(step, evil: str) -> None:
    plain = step("site_key")
    html = step("site_key", values={"passphrase": evil, "site_key": evil})
    assert html.count("<") == plain.count("<")
    plain = step("challenge_questions", mode="own")
    html = step("challenge_questions", mode="own", values={"question_1": evil, "question_2": evil})
    assert html.count("<") == plain.count("<")
    assert html.count('"') == plain.count('"')
