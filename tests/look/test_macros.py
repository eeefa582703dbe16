"""Words are tied to their fields, statuses have words, and what people typed is text (X6, SE-15, E9)."""

import re

import pytest

FIELDS = '{% from "_macros/fields.html" import text, password, select, checkbox, textarea, one_time_code, radio_card %}'
FEEDBACK = '{% from "_macros/feedback.html" import error_summary, notice, done %}'


def attribute(html: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', html)
    assert found is not None, f"no {name} in {html}"
    return found[1]


@pytest.mark.parametrize(
    "call",
    [
        'text("who", "User ID", hint="As on the letter", error="Enter it.")',
        'password("who", "Password", hint="As on the letter", error="Enter it.")',
        'one_time_code("who", "Code", hint="As on the letter", error="Enter it.")',
        'select("who", "Zone", [("a", "A")], hint="As on the letter", error="Enter it.")',
        'textarea("who", "Reason", hint="As on the letter", error="Enter it.")',
        'checkbox("who", "I agree", hint="As on the letter", error="Enter it.")',
    ],
)
def test_X6_a_field_names_its_hint_and_its_error(rendered, call: str) -> None:
    html = rendered(FIELDS + "{{ " + call + " }}")
    ties = attribute(html, "aria-describedby").split()
    assert ties == ["who-hint", "who-error"]
    assert all(f'id="{tie}"' in html for tie in ties)
    assert attribute(html, "aria-invalid") == "true"
    assert "autofocus" not in html


@pytest.mark.parametrize("call", ['text("who", "User ID")', 'select("who", "Zone", [])', 'textarea("who", "Reason")'])
def test_a_field_without_fault_claims_none(rendered, call: str) -> None:
    html = rendered(FIELDS + "{{ " + call + " }}")
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html
    assert '<label for="who">' in html


def test_A11_a_required_field_has_its_asterisk_and_its_attribute(rendered) -> None:
    html = rendered(FIELDS + '{{ text("who", "User ID", required=True, autocomplete="username") }}')
    assert '<span class="req" aria-hidden="true">*</span>' in html
    assert " required" in html
    assert attribute(html, "autocomplete") == "username"


def test_a_password_is_never_written_back_and_its_rules_belong_to_it(rendered) -> None:
    rules = [{"text": "12 characters", "test": "length:12", "met": False}, "Not your user ID"]
    html = rendered(FIELDS + '{{ password("new", "New password", rules=rules) }}', rules=rules)
    assert "value=" not in html
    assert "new-rules" in attribute(html, "aria-describedby")
    assert 'data-test="length:12" class="unmet"' in html
    assert re.search(r'<button class="show"[^>]* hidden', html), "Show needs script, so it is hidden until there is one"


def test_SE_15_what_people_typed_is_text(rendered) -> None:
    html = rendered(FIELDS + '{{ text("who", "Name", value=typed) }}{{ textarea("why", "Why", value=typed) }}',
                    typed='"></textarea><script>alert(1)</script>{{7*7}}')  # fmt: skip
    assert "<script>" not in html
    assert "49" not in html


def test_the_summary_links_each_error_to_its_field_and_is_heard(rendered) -> None:
    html = rendered(FEEDBACK + "{{ error_summary(wrong) }}", wrong={"username": "Enter it.", "": "Try again."})
    assert 'id="error" role="alert" tabindex="-1" autofocus' in html
    assert '<a href="#username">Enter it.</a>' in html
    assert "<li>Try again.</li>" in html


def test_the_summary_of_nothing_is_nothing(rendered) -> None:
    assert not rendered(FEEDBACK + "{{ error_summary({}, None) }}").strip()


def test_a_page_with_errors_says_so_in_its_title(rendered) -> None:
    page = '{% extends "_layout/sign_in.html" %}{% block title %}Sign in{% endblock %}'
    assert "<title>Error: Sign in – Northlake Exchange</title>" in rendered(page, errors={"username": "x"})
    assert "<title>Error: Sign in – Northlake Exchange</title>" in rendered(page, problem="No.")
    assert "<title>Sign in – Northlake Exchange</title>" in rendered(page)


@pytest.mark.parametrize(
    ("status", "english", "spanish"),
    [
        ("verification_pending", "Verification Pending", "Verificación pendiente"),
        ("unverified", "Unverified", "Sin verificar"),
        ("active", "Active", "Activo"),
        ("disabled", "Disabled", "Deshabilitado"),
        ("locked", "Locked", "Bloqueado"),
        ("suspended", "Suspended", "Suspendido"),
        ("ended", "Ended", "Terminado"),
    ],
)
def test_E4_each_status_has_an_icon_and_a_word(rendered, status: str, english: str, spanish: str) -> None:
    badge = '{% from "_macros/badges.html" import status_badge %}{{ status_badge(status) }}'
    assert english in rendered(badge, status=status)
    html = rendered(badge, status=status, lang="es")
    assert spanish in html
    assert "<svg aria-hidden" in html


def test_a_table_that_stacks_stays_a_table(rendered) -> None:
    html = rendered(
        '{% from "_macros/tables.html" import table, row, head_cell, cell, act_cell %}'
        '{% call table("Devices", ["Name", "Used", ""]) %}{% call row() %}{{ head_cell("Firefox") }}'
        '{{ cell("today", label="Used") }}{% call act_cell() %}x{% endcall %}{% endcall %}{% endcall %}'
    )
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader", "cell"):
        assert f'role="{role}"' in html
    assert '<span class="sr">Actions</span>' in html


def test_a_dialog_is_a_page_with_a_form(rendered) -> None:
    html = rendered(
        '{% from "_macros/dialog.html" import dialog %}'
        '{{ dialog("End it?", "/end", "End session", "/account", ["It ends."], button_id="end") }}'
    )
    assert 'method="post" action="/end"' in html
    assert 'name="csrf_token"' in html
    assert 'id="end"' in html
    assert 'href="/account"' in html


def test_PROTOCOL_a_page_shows_the_portals_logo_policy_terms_and_help_line(rendered) -> None:
    html = rendered('{% extends "_layout/sign_in.html" %}{% block content %}x{% endblock %}')
    assert '<img class="client-logo"' in html
    assert '<a class="client-policy" href="https://portal.test/privacy">' in html
    assert '<a class="client-tos" href="https://portal.test/terms">' in html
    assert "1-800-555-0118" in html
    assert "<main" in html
    assert 'data-brand="northlake"' in html


def test_the_top_bar_says_who_is_signed_in(rendered) -> None:
    page = '{% extends "_layout/narrow.html" %}'
    assert "Rosa</b>" in rendered(page, person_name="Rosa")
    assert "Signed in" not in rendered(page, person_name=None)


@pytest.mark.parametrize(
    ("kind", "symbol"), [("ok", "check"), ("warn", "clock"), ("info", "info"), ("danger", "alert")]
)
def test_LOOK_a_badge_is_an_icon_and_a_word(rendered, kind: str, symbol: str) -> None:
    html = rendered('{% from "_macros/badges.html" import badge %}{{ badge("Waiting", kind) }}', kind=kind)
    assert f"#{symbol}" in html
    assert "#mail" in rendered(
        '{% from "_macros/badges.html" import badge %}{{ badge("Sent", kind, "mail") }}', kind=kind
    )
