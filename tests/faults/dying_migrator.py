"""`idp db upgrade` as far as so many statements, then dead: `python -m tests.faults.dying_migrator STATEMENTS`."""

import os
import signal
import sys
from itertools import count

from sqlalchemy import Engine, event

from idp.migrations.run import upgrade
from idp.settings import load

if __name__ == "__main__":
    last, number = int(sys.argv[1]), count(1)

    @event.listens_for(Engine, "after_cursor_execute")
    def die(*_: object) -> None:
        if next(number) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(load())
