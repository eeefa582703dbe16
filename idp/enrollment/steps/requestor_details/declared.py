"""Needs a provider to ask for."""

from collections.abc import Iterator
from typing import Any

from idp.enrollment.declared import Declared, Thing
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.affiliation import TargetKind


def _wrong_at(manifest: Manifest, options: Any) -> Iterator[tuple[str, str]]:
    if manifest.portal is not None and TargetKind.PROVIDER not in manifest.portal.acting_for:
        yield "", "asks for access to a provider, which portal.acting_for does not list"


DECLARED = Declared(
    "requestor_details",
    needs=frozenset({Thing.PROVIDER}),
    gives=frozenset({Thing.REQUEST}),
    after="access is asked for one provider, which find_provider picks before it",
    wrong_at=_wrong_at,
)
