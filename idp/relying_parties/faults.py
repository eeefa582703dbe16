"""What is wrong with a manifest, and on what ground it is judged."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file: `("registration", "redirect_uris", 0)`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that must not be so; `reason` reads after the key and never repeats a value that may be secret."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What this deployment allows that others do not."""

    loopback: bool = False
    """The demo: plain http to `localhost` and `127.0.0.1` (SECURITY ruling 8)."""
    outgoing_allow: tuple[str, ...] = ()
    """Hosts, with or without port, and networks that outgoing calls may reach though they are not public."""
    algs: frozenset[str] | None = None
    """What the keyring can sign with; `None` where nobody looked."""
