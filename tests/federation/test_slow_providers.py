"""R-17: a provider that is down or hangs costs one request a minute, and nobody waits in a queue for it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.federation.upstream_oidc import patience
from idp.federation.upstream_oidc.patience import Patience
from idp.foundation.outgoing import Reason as Network
from idp.vocabulary.refused import Refused
from tests.authenticators.browsing import follow, open_sign_in, post_form
from tests.factories.make import PASSWORD
from tests.federation.conftest import World

LONG = 30
"""Seconds until a test that would hang fails instead."""


class Hanging:
    """Whoever asks for `path` waits until `let_go`, as with a server that accepts and says nothing."""

    def __init__(self, world: World, path: str) -> None:
        self._go, self.waiting = threading.Event(), threading.Semaphore(0)
        name = "post" if path == "/token" else "get"
        real: Callable[..., Any] = getattr(world.upstream, name)

        def held(url: str, **given: Any) -> Any:
            if not url.endswith(path):
                return real(url, **given)
            world.upstream.hits.append(path)
            self.waiting.release()
            assert self._go.wait(LONG)
            return Refused(Network.TOO_SLOW)

        setattr(world.upstream, name, held)

    def let_go(self) -> None:
        self._go.set()


def test_R_17_keys_that_were_never_fetched_are_asked_for_once_a_minute(
    world: World, new_browser: Any, hands: Any
) -> None:
    world.link(world.rosa)
    world.upstream.lost.add("/keys")
    for _ in range(3):
        browser = new_browser()
        late = world.come_back(browser, world.leave(browser))
        assert (late.status_code, late.headers["Retry-After"]) == (503, "60")
    assert (world.upstream.hits.count("/keys"), world.upstream.hits.count("/token")) == (1, 0)
    world.upstream.lost.clear()
    hands.forward(minutes=2)
    assert world.sign_in(new_browser()).request.path == "/account/"


def test_R_17_keys_that_moved_where_nobody_answers_are_asked_for_once_a_minute(
    world: World, new_browser: Any, hands: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(new_browser())
    world.upstream.document["jwks_uri"] = f"{world.upstream.issuer}/moved"
    world.upstream.lost.add("/moved")
    hands.forward(hours=2)
    for _ in range(3):
        assert world.sign_in(new_browser()).request.path == "/account/"
    assert world.upstream.hits.count("/moved") == 1


@pytest.mark.parametrize(
    ("path", "asked"), [("/.well-known/openid-configuration", 1), ("/keys", 1), ("/token", patience.ONE)]
)
def test_R_17_of_many_at_a_provider_that_hangs_few_wait_and_local_people_sign_in(
    world: World, new_browser: Any, path: str, asked: int
) -> None:
    def arrive(browser: FlaskClient, url: str) -> tuple[int, str]:
        answer = browser.get(url) if url else post_form(browser, open_sign_in(browser), "with-form-saint-anne")
        return answer.status_code, answer.text

    at_start = path.startswith("/.well-known")
    browsers = [new_browser() for _ in range(asked + 3)]
    urls = ["" if at_start else world.upstream.authorize(world.leave(each)) for each in browsers]
    hanging = Hanging(world, path)
    with ThreadPoolExecutor(asked) as pool:
        first = [pool.submit(arrive, *pair) for pair in zip(browsers[:asked], urls[:asked], strict=True)]
        try:
            assert all(hanging.waiting.acquire(timeout=LONG) for _ in range(asked))
            others = [arrive(*pair) for pair in zip(browsers[asked:], urls[asked:], strict=True)]
            local = new_browser()
            here = post_form(local, open_sign_in(local), "login-form", username="rosa.delgado", password=PASSWORD)
            assert here.status_code == 303
            assert not any(each.done() for each in first)
        finally:
            hanging.let_go()
        waited = [each.result() for each in first]
    assert {status for status, _page in (*waited, *others)} == {503}
    assert all("does not answer at the moment" in page for _status, page in waited)
    assert all("others are waiting for it" in page for _status, page in others)
    assert world.upstream.hits.count(path) == asked


def test_R_17_who_was_told_to_come_back_loads_the_page_again(
    world: World, new_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.link(world.rosa)
    world.sign_in(new_browser())
    browser = new_browser()
    back = world.upstream.authorize(world.leave(browser))
    with monkeypatch.context() as patched:
        patched.setattr(patience, "ALL", 0)
        assert browser.get(back).status_code == 503
    assert follow(browser, browser.get(back)).request.path == "/account/"


def test_one_provider_takes_not_all_the_turns_and_a_thread_takes_one() -> None:
    turns = Patience()
    with turns.turn("a") as one, turns.turn("a") as again:
        assert (one, again) == (True, True)
    held: list[Any] = []

    def take() -> None:
        held.append(turns.turn("a"))
        assert held[-1].__enter__()

    others = [threading.Thread(target=take) for _ in range(patience.ONE)]
    for thread in others:
        thread.start()
        thread.join()
    with turns.turn("a") as more, turns.turn("b") as other:
        assert (len(held), more, other) == (patience.ONE, False, True)
