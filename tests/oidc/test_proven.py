"""What was proven is remembered for exactly what was sent, and only while the very clients stand."""

from datetime import timedelta

import pytest

from idp.foundation import database
from idp.foundation.short_cuts import Asked
from idp.oidc import proven, short_cuts
from idp.oidc.proven import Proven, Standing
from idp.oidc.tokens import AccessTokenContent

BASIC, FORM = "Basic eDp5", b"grant_type=client_credentials"


def _standing(name):
    return Standing(name, AccessTokenContent({"sub": name}, timedelta(minutes=5), "jwt", "ES256"))


def test_R_13_with_the_clients_all_that_was_proven_is_forgotten():
    seen, clients, anew = Proven(), {"x": object()}, {}
    anew.update(clients)
    assert seen.recall(clients, authorization=BASIC, form=FORM) is None
    seen.keep(clients, _standing("x"), authorization=BASIC, form=FORM)
    assert seen.recall(clients, authorization=BASIC, form=FORM) == _standing("x")
    assert seen.recall(anew, authorization=BASIC, form=FORM) is None, "equal is not the same: they were read again"
    seen.keep(anew, _standing("y"), authorization="", form=b"other")
    assert seen.recall(anew, authorization=BASIC, form=FORM) is None
    assert seen.recall(clients, authorization=BASIC, form=FORM) is None


def test_TK_12_another_header_or_form_proves_nothing():
    seen, clients = Proven(), {}
    seen.keep(clients, _standing("x"), authorization=BASIC, form=FORM)
    for authorization, form in (
        ("Basic eDp6", FORM), ("", FORM), (BASIC, b""), (BASIC, FORM + b"&scope=x"), (BASIC + "\n", FORM),
        ("", BASIC.encode() + FORM), (BASIC[:-1], BASIC[-1:].encode() + FORM),
    ):  # fmt: skip
        assert seen.recall(clients, authorization=authorization, form=form) is None


def test_RX_05_no_more_is_kept_than_is_worth_it(monkeypatch):
    monkeypatch.setattr(proven, "MOST", 3)
    seen, clients = Proven(), {}
    for number in range(20):
        seen.keep(clients, _standing("x"), authorization=str(number), form=FORM)
        assert len(seen._standing) <= 3
        assert seen.recall(clients, authorization=str(number), form=FORM) is not None
    assert b"19" not in b"".join(seen._standing), "under a digest"


def test_RX_02_whoever_would_write_on_the_loop_fails(app):
    def writes(_):
        with database.writing():
            pass

    with pytest.raises(RuntimeError, match="write transactions"):
        short_cuts._on_the_loop(app, writes)(Asked("POST", "/oauth/token", {}, address=""))
