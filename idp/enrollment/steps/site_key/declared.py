"""A site key makes sense only where the portal's sign-in shows it."""

from collections.abc import Iterator

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Manifest


class Options(StepOptions):
    """Nothing of its own."""


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    if not manifest.sign_in.site_key:
        yield "", "site_key is asked for, and never shown: sign_in.site_key is off"


DECLARED = Declared(
    "site_key",
    Options,
    needs=frozenset({Thing.CREDENTIALS}),
    after="its phrase must not be the password, which create_account asks for",
    wrong_at=_wrong_at,
)
