"""Where log lines go without ever waiting: whoever reads them may be slow, stuck or gone, and no request hangs for it (R-23)."""

import contextlib
import os
import select
import stat
import threading
from typing import Final, Protocol

STANDARD_ERROR: Final = 2


class Sink(Protocol):
    """Takes a line at once, or raises OSError."""

    def write(self, line: bytes, /) -> object: ...


class Unblocking:
    """An open file descriptor: a pipe through a description of its own that does not block, a socket when it has room.

    The descriptor's own flags stay as they are: other processes share them.
    """

    def __init__(self, number: int) -> None:
        kind = os.fstat(number).st_mode
        self._number = number
        self._asked: select.poll | None = None
        self._torn = False
        self._one = threading.Lock()
        if stat.S_ISFIFO(kind):
            with contextlib.suppress(OSError):
                self._number = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if self._number == number and not stat.S_ISREG(kind):
            self._asked = select.poll()
            self._asked.register(number, select.POLLOUT)

    def write(self, line: bytes, /) -> None:
        """The whole line or an error; what a full pipe tore apart is ended before the next one."""
        with self._one:
            if self._asked is not None and not self._asked.poll(0):
                raise BlockingIOError
            whole = b"\n" + line if self._torn else line
            written = os.write(self._number, whole)
            self._torn = written < len(whole)
            if self._torn:
                raise BlockingIOError
