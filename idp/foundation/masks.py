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


def tail(number: str | None) -> str:
    """`•••204`: the last three characters of a provider's or trading partner's number, none of a short one."""
    return f"{_DOTS}{number[-3:]}" if number and len(number) >= 6 else _DOTS
