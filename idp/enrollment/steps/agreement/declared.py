"""The agreement is the manifest's own `[agreement]`; here it only gets its place."""

from collections.abc import Iterator
from typing import Any

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Localized, Manifest


class Options(StepOptions):
    """The words beside the box."""

    agree: Localized | None = None
    """*I Agree* (D3)."""


def _wrong_at(manifest: Manifest, options: Any) -> Iterator[tuple[str, str]]:
    if manifest.agreement is None:
        yield "", "has an agreement step, but the manifest has no [agreement]"


DECLARED = Declared(
    "agreement",
    Options,
    needs=frozenset({Thing.CREDENTIALS}),
    after="somebody has to be there to accept it (create_account comes before it)",
    wrong_at=_wrong_at,
)
