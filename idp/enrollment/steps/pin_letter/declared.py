"""A letter proves access to one provider."""

from collections.abc import Iterator
from typing import Any

from idp.enrollment.declared import Declared, Thing
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.affiliation import TargetKind


def _wrong_at(manifest: Manifest, options: Any) -> Iterator[tuple[str, str]]:
    if manifest.portal is not None and TargetKind.PROVIDER not in manifest.portal.acting_for:
        yield "", "proves access to a provider, which portal.acting_for does not list"


DECLARED = Declared("pin_letter", gives=frozenset({Thing.TARGET}), wrong_at=_wrong_at)
