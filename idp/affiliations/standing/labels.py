"""What pages call the kinds of target and of proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.relying_parties import service as relying_parties
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence

KINDS: Final[dict[TargetKind, LazyString]] = {
    TargetKind.PROVIDER: _("Provider"),
    TargetKind.PRACTICE: _("Practice"),
    TargetKind.TRADING_PARTNER: _("Trading partner"),
}
EVIDENCE: Final[dict[Evidence, LazyString]] = {
    Evidence.SELF: _("Own word"),
    Evidence.DIRECTORY: _("Match with the directory"),
    Evidence.LETTER: _("PIN letter"),
    Evidence.MANAGER: _("Account manager’s word"),
    Evidence.PAYER: _("Payer’s staff"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What a page needs to name everything in an answer."""

    parties: Mapping[str, str]
    levels: Mapping[tuple[str, str], Any]
    """By portal and key, in the portal's languages."""
    kinds: Mapping[TargetKind, LazyString]
    evidence: Mapping[Evidence, LazyString]


def names_of() -> Names:
    """As the manifests have them today; what they no longer know is shown by its key."""
    every = relying_parties.every().values()
    levels = {(party.client_id, level.key): level.label for party in every for level in party.manifest.levels}
    return Names({party.client_id: party.manifest.name for party in every}, levels, KINDS, EVIDENCE)
