"""granian, that replaces a worker only when its successor serves (R-03).

By itself it stops the old one after a fixed pause: on a loaded machine, where loading the application takes longer than
that, all have gone before the first new one listens, and connections are refused.
"""

import logging
from typing import Any, Final

from granian import Granian

from idp.foundation import standing_by

PATIENCE_SECONDS: Final = 120
"""How long a new worker may take to load the application before the old one goes all the same."""
OVERLAP_SECONDS: Final = 0.5
"""Both serve for so long."""
_log: Final = logging.getLogger(__name__)


class PatientServer(Granian):  # type: ignore[misc,valid-type]
    """SIGHUP replaces the workers one after the other."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, respawn_interval=OVERLAP_SECONDS, **options)
        self._replacing = False

    def _reload(self, *arguments: Any) -> None:
        self._replacing = True
        try:
            super()._reload(*arguments)
        finally:
            self._replacing = False

    def _spawn_worker(self, *arguments: Any, **options: Any) -> Any:
        worker = super()._spawn_worker(*arguments, **options)
        if self._replacing:
            start = worker.start

            def start_and_wait() -> None:
                start()
                if not standing_by.wait(worker.inner.pid, seconds=PATIENCE_SECONDS, is_alive=worker.is_alive):
                    _log.error("a new worker does not serve", extra={"reason": "worker"})

            worker.start = start_and_wait
        return worker
