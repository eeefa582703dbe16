"""The folder on disk: `keys/<use>/<state>/<kid>.jwk`, read as one consistent picture and written atomically.

A file holds one private JWK and, beside it, `created_at`, `active_since` and `retired_at`, which are never published.
"""

import fcntl
import json
import os
import re
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from idp.foundation import jwe, jwk
from idp.foundation.algorithms import PrivateKey, fitting
from idp.foundation.vault import KEY_BYTES
from idp.keyring.rules import ASYMMETRIC, OPENING, KeyFile, State, Use

SUFFIX: Final = ".jwk"
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z", re.ASCII)
_SIZE: Final = 16384
_TRIES: Final = 20

Entry = tuple[str, int, int, int, int]
"""Name, inode, moment of change, size and mode of a file; name and mode of a folder."""
Fingerprint = tuple[Entry, ...]


class KeysUnusable(Exception):
    """The folder cannot be worked with; `problems` says everything that is wrong, and nothing secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """A key file and what is in it."""

    file: KeyFile
    members: Mapping[str, Any] = field(repr=False)
    secret: PrivateKey | bytes = field(repr=False)


def fingerprint(path: Path) -> Fingerprint:
    """Something that differs whenever any key file was added, moved, replaced, touched or opened to others.

    Folders end in a slash; their files are named in the order in which keys move, so that none is missed.
    """
    seen: list[Entry] = []
    for use in Use:
        for state in State:
            for directory in (use, f"{use}/{state}"):
                with suppress(FileNotFoundError):
                    seen.append((f"{directory}/", 0, 0, 0, (path / directory).stat().st_mode))
            with suppress(FileNotFoundError), os.scandir(path / use / state) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX):
                        stat = entry.stat()
                        name = f"{use}/{state}/{entry.name}"
                        seen.append((name, stat.st_ino, stat.st_mtime_ns, stat.st_size, stat.st_mode))
    return tuple(sorted(seen))


def load(path: Path, *, known: Mapping[Entry, Loaded] | None = None) -> tuple[Fingerprint, tuple[Loaded, ...]]:
    """One picture of the folder that no writer disturbed; `KeysUnusable` names every file that cannot be read.

    `known` (of `entries`) saves reading again what has not changed: an RSA key takes 40 ms.
    """
    for _ in range(_TRIES):
        before = fingerprint(path)
        try:
            loaded, wrong = _read_all(path, before, known=known or {})
        except FileNotFoundError:
            continue
        if fingerprint(path) != before:
            continue
        if wrong:
            raise KeysUnusable(tuple(wrong))
        return before, tuple(loaded)
    raise KeysUnusable(("the folder keeps changing while it is read",))


@contextmanager
def writer(path: Path) -> Iterator[None]:
    """One writer at a time on this machine; readers are never held up."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, *, use: Use, state: State, members: Mapping[str, Any]) -> None:
    """Put a key file in its place, whole or not at all, and on the disk before this returns (R-22)."""
    directory = _directory(path, use, state)
    temporary = directory / f".{secrets.token_hex(8)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(dict(members), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(directory / f"{members['kid']}{SUFFIX}")
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(directory)


def move(path: Path, *, key: Loaded, to: State, marks: Mapping[str, datetime]) -> None:
    """Take a key to a later state: first its marks, then its place, so that no moment shows it nowhere."""
    members = {**key.members, **{name: moment.isoformat() for name, moment in marks.items()}}
    write(path, use=key.file.use, state=key.file.state, members=members)
    source, target = _directory(path, key.file.use, key.file.state), _directory(path, key.file.use, to)
    (source / f"{key.file.kid}{SUFFIX}").rename(target / f"{key.file.kid}{SUFFIX}")
    _sync(target)
    _sync(source)


def remove(path: Path, *, use: Use, state: State, kid: str) -> None:
    """Take a key out of the folder for good, if it is there."""
    directory = _directory(path, use, state)
    (directory / f"{kid}{SUFFIX}").unlink(missing_ok=True)
    _sync(directory)


def entries(seen: Fingerprint, loaded: tuple[Loaded, ...]) -> Mapping[Entry, Loaded]:
    """What `load` answered, by the file that it came from."""
    return dict(zip((entry for entry in seen if not entry[0].endswith("/")), loaded, strict=True))


def _read_all(path: Path, names: Fingerprint, *, known: Mapping[Entry, Loaded]) -> tuple[list[Loaded], list[str]]:
    loaded, wrong = [], []
    exposed = {name for name, *_, mode in names if name.endswith("/") and mode & 0o077}
    for entry in names:
        name, _inode, _modified, size, mode = entry
        if name.endswith("/"):
            continue
        use, state, filename = name.split("/")
        shown = bool(mode & 0o077) or not exposed.isdisjoint({f"{use}/", f"{use}/{state}/"})
        if entry in known:
            loaded.append(replace(known[entry], file=replace(known[entry].file, exposed=shown)))
            continue
        try:
            if size > _SIZE:
                raise ValueError("too large")
            text = (path / name).read_text(encoding="utf-8")
            loaded.append(_read(text, use=Use(use), state=State(state), kid=filename[: -len(SUFFIX)], exposed=shown))
        except FileNotFoundError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
            wrong.append(f"{name}: {_said(error)}")
    return loaded, wrong


def _said(error: Exception) -> str:
    """What is wrong with a file, without quoting any of it."""
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return str(error) if type(error) is ValueError else "damaged, not a key file"


def _read(text: str, *, use: Use, state: State, kid: str, exposed: bool) -> Loaded:
    members = json.loads(text)
    if not isinstance(members, dict) or members.get("kid") != kid or not _KID.match(kid):
        raise ValueError("its name is not its kid")
    alg: str | None = None
    secret: PrivateKey | bytes
    if use in ASYMMETRIC:
        secret, alg = jwk.read_private(members), members["alg"]
        if alg not in fitting(secret):
            raise ValueError("the key does not fit its alg")
    elif use in OPENING:
        secret, alg = jwk.read_private(members), members["alg"]
        if not jwe.fits(str(alg), secret):
            raise ValueError("the key does not fit its alg")
    else:
        secret = _octets(members)
    moments = [_moment(members.get(name)) for name in ("created_at", "retired_at", "active_since")]
    if moments[0] is None or (state is State.RETIRED and moments[1] is None):
        raise ValueError("a date is missing")
    return Loaded(KeyFile(use, state, kid, alg, moments[0], moments[1], moments[2], exposed), members, secret)


def _octets(members: Mapping[str, Any]) -> bytes:
    value = members["k"]
    secret = urlsafe_b64decode(value + "=" * (-len(value) % 4)) if members.get("kty") == "oct" else b""
    if len(secret) != KEY_BYTES:
        raise ValueError("not a key of 256 bits")
    return secret


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a date has no zone")
    return moment.astimezone(UTC)


def _directory(path: Path, use: Use, state: State) -> Path:
    directory = path / use / state
    for part in (path, path / use, directory):
        part.mkdir(mode=0o700, exist_ok=True)
    return directory


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
