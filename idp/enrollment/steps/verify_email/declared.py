"""What a manifest says of the mailed link."""

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Localized


class Options(StepOptions):
    """`button` is the page behind the link; without `password` it is asked for only in a browser that did not begin."""

    password: bool = False
    """The password is typed at the link (A9): a stolen link alone activates nothing."""
    mail_button: Localized | None = None
    """Subject and button of the mail, *Activate Account* (C3)."""


DECLARED = Declared(
    "verify_email",
    Options,
    needs=frozenset({Thing.CREDENTIALS}),
    gives=frozenset({Thing.MAILBOX}),
    after="the address is typed at create_account, which comes before it",
    numbered=False,
    alone=True,
)
