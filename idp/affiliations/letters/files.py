"""The two files of a batch: whole and synced before anything in them is good, named after it (see the room's docstring)."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

PART: Final = ".part"
_NAME: Final = "pin-letters-{portal}-{day}-{batch}"
_SUFFIXES: Final = ("pdf", "csv")


@dataclass(frozen=True, slots=True)
class Files:
    """Where a batch is kept."""

    folder: Path
    stem: str

    @classmethod
    def of(cls, folder: Path, *, portal: str, day: str, batch: UUID) -> "Files":
        """The folder is made where there is none, for its owner only."""
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(folder, _NAME.format(portal=portal, day=day, batch=batch))

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self.folder / f"{self.stem}.{suffix}" for suffix in _SUFFIXES)

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Both files under their `.part` names, on disk when this returns; all or none."""
        try:
            for path in self.paths:
                _write(_part(path), contents[path.suffix.removeprefix(".")])
            _sync(self.folder)
        except BaseException:
            self.discard()
            raise

    def name(self) -> None:
        """Give the files their names; one that is taken already is never overwritten."""
        for path in self.paths:
            try:
                os.link(_part(path), path, follow_symlinks=False)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links; the batch in its name keeps it apart from others
                _part(path).rename(path)
            _part(path).unlink(missing_ok=True)
        _sync(self.folder)

    def discard(self) -> None:
        """Remove the `.part` files."""
        for path in self.paths:
            with suppress(OSError):
                _part(path).unlink(missing_ok=True)


def left_over(folder: Path) -> list[tuple[Path, UUID]]:
    """Files of a run that was killed (or still runs), with their batch."""
    found = []
    for path in sorted(folder.glob(f"pin-letters-*{PART}")):
        with suppress(ValueError):
            found.append((path, UUID(path.name.removesuffix(PART).rsplit(".", 1)[0][-36:])))
    return found


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
