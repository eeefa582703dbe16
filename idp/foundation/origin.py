"""Where an act came from, for the audit."""

import getpass
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Address, request and browser of one act; `session_digest` is the first hex digits of the session's digest."""

    address: str
    request_id: str
    user_agent: str = ""
    session_digest: str | None = None

    @classmethod
    def local(cls, what: str) -> "Origin":
        """An act on the machine itself: a command or the worker."""
        return cls(address=what, request_id="-")


def operator() -> str:
    """Whoever types a command, as the audit's actor; in a container whose user has no name, by number."""
    try:
        return f"cli:{getpass.getuser()}"[:64]
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
