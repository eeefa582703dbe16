"""What a refusal about keys is called on the command line."""

from collections.abc import Mapping
from typing import Final

from idp.keyring.rules import Reason

REASONS: Final[Mapping[str, str]] = {
    Reason.NEXT_TOO_YOUNG: "The next key is younger than a minute: relying parties may not know it. Wait, or say --now.",
    Reason.NO_NEXT: "There is no next key to take its place. Run `idp keys create` first.",
    Reason.UNKNOWN_KID: "There is no key of that name.",
    Reason.STILL_NEEDED: "That key still opens, finds or digests something in the database and has to stay.",
    Reason.ALREADY_THERE: "Every key is there already.",
}
