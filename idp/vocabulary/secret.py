"""Secrets that cannot be printed by accident."""

from hmac import compare_digest


class Secret(str):
    """Text whose `repr` and `format` show nothing; `reveal()` says it on purpose."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, format_spec: str, /) -> str:
        return "***"

    def reveal(self) -> str:
        """The plain text, for the one place that sends, hashes or compares it."""
        return str.__str__(self)

    def matches(self, other: str) -> bool:
        """Constant-time comparison on UTF-8 bytes (text comparison refuses non-ASCII)."""
        return compare_digest(self.reveal().encode(), other.encode())
