"""Whether a factor may be taken away. Pure."""

from collections.abc import Collection, Iterable
from uuid import UUID

from idp.authenticators.factors.rules import Held, Reason, kinds_of, working
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused


def may_remove(factor_id: UUID, *, held: Collection[Held], demanded: Iterable[Collection[Factor]]) -> Refused | None:
    """Refused for the last factor of all, and for the last that satisfies a portal which demands one (MF-11).

    `demanded`: the kinds each of them takes. Who has a second proof keeps one, whatever portals ask: a session must not
    make the account weaker than its owner made it. A stopped one may go, and does not stand in for another.
    """
    if all(each.id != factor_id for each in held):
        return Refused(Reason.NOT_HELD)
    before = set(kinds_of(held))
    after = set(kinds_of(each for each in working(held) if each.id != factor_id))
    if not after:
        return Refused(Reason.NONE_LEFT)
    for kinds in demanded:
        if before & set(kinds) and not after & set(kinds):
            return Refused(Reason.LAST_ONE)
    return None
