"""The production server: granian, which loads `wsgi:bridged` in each worker and calls it by RSGI (`foundation.bridge`)."""

import os
import shutil
from pathlib import Path
from typing import Final

from idp.foundation import timekeeping
from idp.settings import PROJECT, Settings

GRACE_SECONDS: Final = 15
"""How long requests may take to end when a worker is told to stop (R-03)."""
TARGET: Final = "wsgi:bridged"


def serve(settings: Settings, *, target: str = TARGET) -> None:
    """Serve until SIGTERM or SIGINT, or until the clock is off (R-19); SIGHUP replaces the workers one after the other.

    `target` is another only for the bench, which compares the product with bare views on the same server.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings

    from idp.foundation.patient import PatientServer

    timekeeping.wait(settings.database_url)
    host, _, port = settings.bind.rpartition(":")
    metrics = _metrics_folder(settings)
    try:
        PatientServer(
            target,
            address=host.strip("[]"),
            port=int(port),
            interface=Interfaces.RSGI,
            workers=settings.workers,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=65_536),
            websockets=False,
            log_enabled=False,
            respawn_failed_workers=True,
            workers_kill_timeout=GRACE_SECONDS,
            working_dir=PROJECT,
        ).serve()
    finally:
        shutil.rmtree(metrics, ignore_errors=True)


def _metrics_folder(settings: Settings) -> Path:
    """Where the workers add up their metrics; it must be in the environment before they start."""
    folder = settings.data_dir / f"metrics-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return folder
