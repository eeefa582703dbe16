"""Whoever waits too long is told so, by one timer for all; nobody else notices."""

import asyncio

import pytest

from idp.foundation.deadlines import Deadlines
from tests.loops import run_apart


def test_RX_04_each_is_overdue_by_itself_and_whoever_is_served_is_struck_off():
    async def waiting():
        loop, deadlines, never = asyncio.get_running_loop(), Deadlines(0.05), asyncio.Event()
        ended = {}

        async def wait(name, awaited):
            began = loop.time()
            try:
                ended[name] = await deadlines.keep(awaited)
            except TimeoutError:
                ended[name] = "late"
                assert loop.time() - began >= 0.05
                await asyncio.sleep(0)  # it may go on, as its answer must be sent

        first = [asyncio.create_task(wait(name, never.wait())) for name in ("a", "b")]
        served = asyncio.create_task(wait("served", asyncio.sleep(0, "here")))
        await asyncio.sleep(0.03)
        later = asyncio.create_task(wait("later", never.wait()))
        await asyncio.gather(*first, served)
        assert ended == {"a": "late", "b": "late", "served": "here"}, "one that came later is not yet overdue"
        await later
        assert ended["later"] == "late" and not deadlines._overdue_at and deadlines._timed_by is None
        await wait("again", never.wait())
        assert ended["again"] == "late", "the timer is set anew for the next one"

    for _ in range(2):
        run_apart(waiting())


def test_R_03_who_is_ended_by_somebody_else_is_not_told_that_it_was_late():
    async def waiting():
        deadlines = Deadlines(60)
        task = asyncio.create_task(deadlines.keep(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        failing = asyncio.get_running_loop().create_future()
        failing.set_exception(ValueError("broken off"))
        with pytest.raises(ValueError, match="broken off"):
            await deadlines.keep(failing)
        assert not deadlines._overdue_at

    run_apart(waiting())
