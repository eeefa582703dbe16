"""What we send: requests by HTTP-Redirect, deflated and, where the provider wants that, signed (SAML bindings §3.4)."""

import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from idp.federation.upstream_saml import moments
from idp.federation.upstream_saml.names import POST, PREFIXES, RSA_SHA256, A, P
from idp.federation.upstream_saml.ours import Ours
from idp.foundation.xml import Node, written

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the sign-in there should be like."""

    again: bool = False
    """`prompt=login`: the person is to sign in anew."""
    contexts: Sequence[str] = ()
    """Classes of which one is wanted, as this provider calls them."""
    name_id_format: str | None = None


def authn_request(ours: Ours, *, destination: str, request_id: str, wish: Wish, now: datetime) -> Node:
    """An `AuthnRequest` (SAML core §3.4.1)."""
    policy = {"AllowCreate": "true"} | ({"Format": wish.name_id_format} if wish.name_id_format else {})
    children = [Node(f"{A}Issuer", text=ours.entity_id), Node(f"{P}NameIDPolicy", policy)]
    if wish.contexts:
        classes = tuple(Node(f"{A}AuthnContextClassRef", text=each) for each in wish.contexts)
        children.append(Node(f"{P}RequestedAuthnContext", {"Comparison": "exact"}, children=classes))
    return Node(
        f"{P}AuthnRequest",
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": moments.written(now),
            "Destination": destination,
            "AssertionConsumerServiceURL": ours.acs,
            "ProtocolBinding": POST,
        }
        | ({"ForceAuthn": "true"} if wish.again else {}),
        children=tuple(children),
    )


def address(destination: str, message: Node, *, kind: str, relay_state: str | None, sign: Sign | None) -> str:
    """The address that carries a message; `kind` is `SAMLRequest` or `SAMLResponse`. The signature covers the query as sent."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(written(message, prefixes=PREFIXES).encode()) + packer.flush()
    query = urlencode(
        {kind: b64encode(packed).decode("ascii")}
        | ({"RelayState": relay_state} if relay_state is not None else {})
        | ({"SigAlg": RSA_SHA256} if sign is not None else {})
    )
    if sign is not None:
        query += "&" + urlencode({"Signature": b64encode(sign(query.encode("ascii"))).decode("ascii")})
    return f"{destination}{'&' if '?' in destination else '?'}{query}"
