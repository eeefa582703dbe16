"""Who proved itself by which secret, and what it is given for that: remembered for as long as the clients stand as they were.

Whether a secret is a client's follows from the bytes sent and the client alone; a changed, disabled or rotated client, or
a secret that expired, brings a new mapping of clients (`idp.relying_parties.cache`), and with it all of this is forgotten.
Only what was proven is kept, under a digest: no secret, and no way to try one faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from idp.oidc.tokens import AccessTokenContent
from idp.relying_parties.rules import RelyingParty

MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """A client that proved itself, and what its token says at any moment."""

    party: RelyingParty
    content: AccessTokenContent


class Proven:
    """One event loop's."""

    def __init__(self) -> None:
        self._parties: Mapping[str, RelyingParty] | None = None
        self._standing: dict[bytes, Standing] = {}

    def recall(self, parties: Mapping[str, RelyingParty], *, authorization: str, form: bytes) -> Standing | None:
        """What was proven by exactly this header and form while these very clients stood."""
        return self._standing.get(_digest(authorization, form)) if parties is self._parties else None

    def keep(self, parties: Mapping[str, RelyingParty], standing: Standing, *, authorization: str, form: bytes) -> None:
        """Remember it; of other clients, or of more than are worth it, nothing is kept."""
        if parties is not self._parties or len(self._standing) >= MOST:
            self._parties, self._standing = parties, {}
        self._standing[_digest(authorization, form)] = standing


def _digest(authorization: str, form: bytes) -> bytes:
    """No header has a line's end in it, so nothing of one can pass for the other."""
    return sha256(authorization.encode() + b"\n" + form).digest()
