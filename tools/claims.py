"""The tables of docs/connect-your-portal.md, from the tables of the code: `python tools/claims.py` writes them anew."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from idp.authenticators.webauthn.rules import assurance_of
from idp.oidc.scope_table import SCOPES, USERINFO_ONLY
from idp.vocabulary.assurance import GAINS, Acr, Amr, Factor

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "connect-your-portal.md"
BEGIN, END = "<!-- claims: written by tools/claims.py -->", "<!-- end of claims -->"
PROOFS_BEGIN, PROOFS_END = "<!-- proofs: written by tools/claims.py -->", "<!-- end of proofs -->"
MEANINGS: Final = {
    "sub": "the person at your portal: never reused, tells nothing else; the one key to keep",
    "email": "their address, as text",
    "email_verified": "`true` when they proved that its mailbox is theirs",
    "phone_number": "E.164",
    "phone_number_verified": "`true` when they proved it by a code",
    "address": "an object (OIDC Core §5.1.1)",
    "provider_id": "your payer's number of the provider that they act for now",
    "npi": "that provider's NPI",
    "provider_type": "`practitioner` or `group`",
    "provider_name": "that provider's name, for display",
    "providers": "a practice as a whole: `[{provider_id, npi, name}]`, at most 200",
    "providers_more": "`true`: there are more than 200",
    "tin": "nine digits, as text: the tax ID of the practice that they act for",
    "tin_type": "`EIN` or `SSN`",
    "tin_ref": "stands for the practice where your client may not see its SSN",
    "trading_partner_id": "the trading partner that they work for",
    "trading_partner_name": "its name",
    "represents": "the practices that engaged it now, as `tin_ref`",
    "represents_more": "`true`: there are more than a token holds",
    "entitlements": "keys of your manifest's access levels that they hold now",
    "affiliation": "the id of the affiliation that they act under: another one is another right",
    "affiliation_role": "`account_manager` or `member`",
}
OF_CORE: Final = "OIDC Core §5.1"
PERSONAL: Final = frozenset({"profile", "email", "phone", "address"})
"""Told by UserInfo alone (OIDC Core §5.4)."""


PROVEN: Final = {
    Factor.PASSKEY: "a passkey, with or without a password",
    Factor.PUSH: "approval on a connected phone, with the number typed there",
    Factor.TOTP: "a code of an authenticator app",
    Factor.SMS: "a code by SMS",
    Factor.EMAIL: "a code by e-mail",
    Factor.RECOVERY: "a printed recovery code, in the place of another",
    Factor.DEVICE: "a remembered browser: spares the question",
}
ATTESTED: Final = "a security key whose maker vouches that it cannot be copied"


def table() -> str:
    """One line a claim, in the order of the scopes."""
    lines = ["| scope | claim | what it says | where |", "|---|---|---|---|"]
    for scope, claims in SCOPES.items():
        for claim in claims:
            where = "UserInfo" if claim in USERINFO_ONLY or scope in PERSONAL else "tokens, UserInfo"
            lines.append(f"| `{scope}` | `{claim}` | {MEANINGS.get(claim, OF_CORE)} | {where} |")
        if not claims:
            lines.append(
                f"| `{scope}` | | a refresh token that outlives the session, where your registration allows it | |"
            )
    return "\n".join(lines)


def proofs() -> str:
    """One line for what somebody may prove, strongest first, with what a session gains by it."""
    lines = ["| proven | `kinds` | `acr` gained | `amr` added |", "|---|---|---|---|"]
    lines.append(_proof("a password", None, [Acr.AAL1], [Amr.PASSWORD]))
    lines.append(_proof(ATTESTED, Factor.PASSKEY, *assurance_of(attested=True, backup_eligible=False)))
    for factor, gain in GAINS.items():
        kind = None if factor in {Factor.RECOVERY, Factor.DEVICE} else factor
        lines.append(_proof(PROVEN[factor], kind, gain.acr, gain.amr))
    return "\n".join(lines)


def _proof(what: str, kind: Factor | None, acr: Iterable[Acr], amr: Iterable[Amr]) -> str:
    told = [value for value in Acr if value in set(acr)]
    cells = (", ".join(f"`{value.value}`" for value in values) for values in ([kind] if kind else [], told, amr))
    return " | ".join((f"| {what}", *(cell or "none" for cell in cells))) + " |"


def written(page: str) -> str:
    """The page with its tables as they should be."""
    tables: tuple[tuple[str, str, Callable[[], str]], ...] = ((BEGIN, END, table), (PROOFS_BEGIN, PROOFS_END, proofs))
    for begin, end, made in tables:
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n\n{made()}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
