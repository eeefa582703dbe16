"""Where it may stand: by itself where the portal acts for practices, after a picked provider where it acts for those."""

from collections.abc import Iterator
from typing import Any

from idp.enrollment.declared import Declared, Thing
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.affiliation import TargetKind

NAME = "claim_practice"
PICKED = "find_provider"


def _wrong_at(manifest: Manifest, options: Any) -> Iterator[tuple[str, str]]:
    for ceremony in manifest.enrollment.values():
        pages = [[name.strip() for name in written.split("+")] for written in ceremony.steps]
        if manifest.portal is not None and any(NAME in page for page in pages):
            yield from _misplaced(pages, acting_for=manifest.portal.acting_for)


def _misplaced(pages: list[list[str]], *, acting_for: tuple[TargetKind, ...]) -> Iterator[tuple[str, str]]:
    claimed = next(number for number, page in enumerate(pages) if NAME in page)
    picked = next((number for number, page in enumerate(pages) if PICKED in page), None)
    if picked is not None and picked >= claimed:
        yield "", f"{NAME} stands on a page after {PICKED}'s: it proves the provider that was picked there"
    target = TargetKind.PRACTICE if picked is None else TargetKind.PROVIDER
    if target not in acting_for:
        yield "", f"{NAME} proves access to a {target.value}, which portal.acting_for does not list"


DECLARED = Declared(NAME, gives=frozenset({Thing.TARGET}), wrong_at=_wrong_at)
