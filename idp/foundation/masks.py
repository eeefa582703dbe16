"""How much of a personal detail a page, a mail or a log may show."""

_DOTS = "•••"


def email(address: str | None) -> str:
    """`im•••@northlake.example`: two letters of the mailbox, the whole domain."""
    local, _, domain = (address or "").rpartition("@")
    return f"{local[:2] if len(local) > 2 else local[:1]}{_DOTS}@{domain}" if local else ""


def phone(number: str | None) -> str:
    """`•••-•••-0142`: the last four digits."""
    digits = "".join(filter(str.isdigit, number or ""))
    return f"{_DOTS}-{_DOTS}-{digits[-4:]}" if len(digits) >= 4 else ""


def tin(number: str | None) -> str:
    """`**-***4410`: the last four digits of a Tax ID, whatever its type."""
    digits = "".join(filter(str.isdigit, number or ""))
    return f"**-***{digits[-4:]}" if len(digits) == 9 else ""
