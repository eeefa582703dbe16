"""The file of refused lines: made at the first one, readable by its owner only, safe to open in a spreadsheet."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from idp.directory.imports.run import Reject
from idp.directory.rules import formula_safe


class RejectFile:
    """Keeps rejects as `line,key,reasons,explanation`; a run without rejects leaves no file."""

    def __init__(self, path: Path, *, words: Mapping[Any, str]) -> None:
        self.path = path
        self._words = words
        self._file: IO[str] | None = None

    def __enter__(self) -> "RejectFile":
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def written(self) -> bool:
        return self._file is not None

    def keep(self, reject: Reject) -> None:
        """Add one refused line."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
            csv.writer(self._file, lineterminator="\n").writerow(["line", "key", "reasons", "explanation"])
        reasons = ";".join(fault.value for fault in reject.faults)
        explanation = " ".join(self._words[fault] for fault in reject.faults)
        cells = [str(reject.line), reject.key, reasons, explanation]
        csv.writer(self._file, lineterminator="\n").writerow([formula_safe(cell) for cell in cells])
