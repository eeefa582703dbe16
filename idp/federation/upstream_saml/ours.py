"""What we are to an identity provider: one entity for each connection, its addresses, and the metadata that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from idp.federation.upstream_saml.names import METADATA_NS, PERSISTENT, POST, PROTOCOL_NS, REDIRECT
from idp.foundation.xml import Node, written

_DS_NS: Final = "http://www.w3.org/2000/09/xmldsig#"
_PREFIXES: Final = {"md": METADATA_NS, "ds": _DS_NS}


@dataclass(frozen=True, slots=True)
class Ours:
    """Our entity at one connection: an answer made for another connection names another audience (FE-36)."""

    entity_id: str
    """Also where its metadata is read."""
    acs: str
    sign_out: str

    @classmethod
    def at(cls, issuer: str, connection: str) -> "Ours":
        """Our entity at a connection of the house that `issuer` names."""
        base = f"{issuer}/federation/saml/{connection}"
        return cls(f"{base}/metadata", f"{base}/acs", f"{base}/sign-out")


def metadata(ours: Ours, *, certificates: Sequence[str], name_id_format: str | None, signs: bool) -> str:
    """Our metadata (SAML metadata §2.4.4): assertions must be signed, and cannot be encrypted, for no key is named."""
    keys = tuple(_key(certificate) for certificate in certificates)
    role = Node(
        _md("SPSSODescriptor"),
        {
            "protocolSupportEnumeration": PROTOCOL_NS,
            "AuthnRequestsSigned": str(signs).lower(),
            "WantAssertionsSigned": "true",
        },
        children=(
            *keys,
            Node(_md("SingleLogoutService"), {"Binding": REDIRECT, "Location": ours.sign_out}),
            Node(_md("NameIDFormat"), text=name_id_format or PERSISTENT),
            Node(
                _md("AssertionConsumerService"),
                {"Binding": POST, "Location": ours.acs, "index": "0", "isDefault": "true"},
            ),
        ),
    )
    root = Node(_md("EntityDescriptor"), {"entityID": ours.entity_id}, children=(role,))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + written(root, prefixes=_PREFIXES)


def _key(certificate: str) -> Node:
    named = Node(_ds("X509Data"), children=(Node(_ds("X509Certificate"), text=certificate),))
    return Node(_md("KeyDescriptor"), {"use": "signing"}, children=(Node(_ds("KeyInfo"), children=(named,)),))


def _md(name: str) -> str:
    return f"{{{METADATA_NS}}}{name}"


def _ds(name: str) -> str:
    return f"{{{_DS_NS}}}{name}"
