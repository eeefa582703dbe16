"""Refused lines: a file of them, made at the first one, readable by its owner only, safe to open in a spreadsheet; and the end of
those that the console kept."""

import csv
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from sqlalchemy import Table, delete, select, tuple_
from sqlalchemy.orm import Session

from idp.directory.imports.run import KEPT_FOR, Reject
from idp.directory.models import ImportReject
from idp.directory.rules import formula_safe
from idp.foundation.database import first_id

_kept: Final[Table] = ImportReject.__table__  # type: ignore[assignment]


def purge(tx: Session, *, now: datetime, batch: int) -> int:
    """Delete those of imports that began longer ago than `KEPT_FOR`, by the ids of the runs, which tell when they were made."""
    key = (_kept.c.run_id, _kept.c.number)
    doomed = select(*key).where(_kept.c.run_id < first_id(now - KEPT_FOR)).order_by(*key).limit(batch)
    return tx.execute(delete(_kept).where(tuple_(*key).in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


class RejectFile:
    """Keeps rejects as `line,key,reasons,explanation`; a run without rejects leaves no file.

    Each is written as it comes, so that a disk that is full stops the run. Whatever is wrong is an `OSError` that names the
    file. A device or a pipe is written to and stays.
    """

    def __init__(self, path: Path, *, words: Mapping[Any, str]) -> None:
        self.path = path
        self._words = words
        self._file: IO[str] | None = None

    def __enter__(self) -> "RejectFile":
        with self._named():
            if not self._stays:
                self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(OSError) if error is not None else self._named():
                self._file.close()

    @property
    def written(self) -> bool:
        return self._file is not None

    @property
    def _stays(self) -> bool:
        try:
            kind = self.path.lstat().st_mode
        except FileNotFoundError:
            return False
        return not (stat.S_ISREG(kind) or stat.S_ISLNK(kind))

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None

    def keep(self, reject: Reject) -> None:
        """Add one refused line."""
        with self._named():
            self._keep(reject)

    def _keep(self, reject: Reject) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = 0 if self._stays else os.O_CREAT | os.O_EXCL
            descriptor = os.open(self.path, os.O_WRONLY | new | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="", buffering=1)
            csv.writer(self._file, lineterminator="\n").writerow(["line", "key", "reasons", "explanation"])
        reasons = ";".join(fault.value for fault in reject.faults)
        why = " ".join(self._words[fault] for fault in reject.faults)
        explanation = f"{reject.place}: {why}" if reject.place else why
        cells = [str(reject.line), reject.key, reasons, explanation]
        csv.writer(self._file, lineterminator="\n").writerow([formula_safe(cell) for cell in cells])
