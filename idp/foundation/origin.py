"""Where an act came from, for the audit."""

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
