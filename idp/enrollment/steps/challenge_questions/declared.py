"""Which kind of questions a portal asks for."""

from idp.authenticators.challenge_questions.rules import Mode
from idp.enrollment.declared import Declared, StepOptions, Thing


class Options(StepOptions):
    """`mode`: three from our groups, or one or two typed by the person."""

    mode: Mode = Mode.GROUPS


DECLARED = Declared(
    "challenge_questions",
    Options,
    needs=frozenset({Thing.CREDENTIALS}),
    after="an answer must not be the user ID, which create_account asks for",
)
