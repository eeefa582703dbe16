"""The kinds of factor are the manifest's own `[mfa]`; here it only gets its place."""

from idp.enrollment.declared import Declared, StepOptions, Thing

DECLARED = Declared(
    "set_up_mfa",
    StepOptions,
    needs=frozenset({Thing.MAILBOX}),
    after="only somebody with an account can set up what proves them (verify_email comes before it)",
    alone=True,
)
