"""Which fields a portal asks for a practitioner and for a group; what is not asked is not compared (C6)."""

from collections.abc import Iterator
from typing import Final

from idp.directory.matching.rules import is_enough
from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Localized, Manifest
from idp.vocabulary.affiliation import TargetKind

PRACTITIONER: Final = "practitioner"
GROUP: Final = "group"
NAMES: Final = {
    PRACTITIONER: ("first_name", "last_name", "tin", "provider_id", "npi", "zip_code"),
    GROUP: ("group_name", "tin", "provider_id", "npi", "zip_code"),
}
_TARGET: Final = {PRACTITIONER: TargetKind.PROVIDER, GROUP: TargetKind.PRACTICE}


class Options(StepOptions):
    """Fields in their order; an empty list leaves the type out."""

    practitioner: tuple[str, ...] = ("first_name", "last_name", "tin", "provider_id", "zip_code")
    group: tuple[str, ...] = ("group_name", "tin", "provider_id", "zip_code")
    tip: Localized | None = None
    """Beside *Provider Type*, where the portal words it differently."""

    def asked(self) -> dict[str, tuple[str, ...]]:
        """The types offered, with their fields."""
        both = {PRACTITIONER: self.practitioner, GROUP: self.group}
        return {kind: names for kind, names in both.items() if names}


def field_name(kind: str, name: str) -> str:
    """The name of a field on the page, where both types' fields stand."""
    return name if name == "group_name" else f"{kind}_{name}"


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    if not options.asked():
        yield "", "offers neither practitioner nor group"
    for kind, names in options.asked().items():
        for name in names:
            if name not in NAMES[kind]:
                yield kind, f"{name!r} is not a field; there are {', '.join(NAMES[kind])}"
        if len(set(names)) != len(names):
            yield kind, "names a field twice"
        if not is_enough(names):
            yield kind, "asks too little to prove anything: one of provider_id, npi, tin, and another field"
        if manifest.portal is not None and _TARGET[kind] not in manifest.portal.acting_for:
            yield kind, f"proves access to a {_TARGET[kind].value}, which portal.acting_for does not list"


DECLARED = Declared(
    "associate_provider",
    Options,
    needs=frozenset({Thing.MAILBOX}),
    gives=frozenset({Thing.TARGET}),
    after="it tells whether somebody manages a provider, which only a person with a proven mailbox is told"
    " (create_account and verify_email come before it)",
    wrong_at=_wrong_at,
)
