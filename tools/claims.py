"""The table of claims in docs/connect-your-portal.md, from the scope table: `python tools/claims.py` writes it anew."""

from pathlib import Path
from typing import Final

from idp.oidc.scope_table import SCOPES, USERINFO_ONLY

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "connect-your-portal.md"
BEGIN, END = "<!-- claims: written by tools/claims.py -->", "<!-- end of claims -->"
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


def written(page: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
