"""One timer for everybody who waits, set for the oldest: a timer for each cost a third of an empty request.

`asyncio.timeout` makes, places and cancels a timer at every use. Here all wait equally long, so they are overdue in the
order in which they came, and whoever is served in time is only entered and struck off.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Given = TypeVar("Given")


class Deadlines:
    """How long any one may wait in one process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._overdue_at: dict[asyncio.Task[object], float] = {}
        self._timed_by: asyncio.AbstractEventLoop | None = None

    async def keep(self, awaited: Awaitable[Given]) -> Given:
        """What is awaited, or `TimeoutError` as soon as it is overdue."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._overdue_at[task] = overdue_at = loop.time() + self._seconds
        if self._timed_by is not loop:
            self._timed_by = loop
            loop.call_at(overdue_at, self._look, loop)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._overdue_at:
                raise  # somebody else wants it to end
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._overdue_at.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End whoever is overdue, and look again when the next one would be."""
        now = loop.time()
        while (oldest := next(iter(self._overdue_at), None)) is not None:
            if (overdue_at := self._overdue_at[oldest]) > now:
                loop.call_at(overdue_at, self._look, loop)
                return
            del self._overdue_at[oldest]
            oldest.cancel()
        self._timed_by = None
