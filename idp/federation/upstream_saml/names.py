"""The names of SAML 2.0 that are used here: namespaces, bindings, formats, status codes."""

from typing import Final

PROTOCOL_NS: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION_NS: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA_NS: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
P: Final = f"{{{PROTOCOL_NS}}}"
A: Final = f"{{{ASSERTION_NS}}}"
MD: Final = f"{{{METADATA_NS}}}"
PREFIXES: Final = {"samlp": PROTOCOL_NS, "saml": ASSERTION_NS}

REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
NO_AUTHN_CONTEXT: Final = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
