"""What the passkey pages post: bytes as base64url, one field each; no JSON of ours to read (MF-31)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from idp.authenticators.webauthn import base64url, rules
from idp.authenticators.webauthn.rules import Assertion, Attestation
from idp.foundation.parsing import Form


def _readable(text: str) -> str:
    base64url.decode(text)
    return text


CredentialId = Annotated[str, Field(min_length=1, max_length=1364, repr=False), AfterValidator(_readable)]
Bytes = Annotated[str, Field(min_length=1, max_length=6000, repr=False), AfterValidator(_readable)]
Handle = Annotated[str, Field(max_length=86, repr=False), AfterValidator(_readable)]
Statement = Annotated[str, Field(min_length=1, max_length=24_000, repr=False), AfterValidator(_readable)]


class AssertionForm(Form):
    """A passkey used."""

    credential_id: CredentialId
    client_data: Bytes
    authenticator_data: Bytes
    signature: Bytes
    user_handle: Handle = ""

    @property
    def sent(self) -> Assertion:
        return Assertion(
            credential_id=base64url.decode(self.credential_id),
            client_data=base64url.decode(self.client_data),
            authenticator_data=base64url.decode(self.authenticator_data),
            signature=base64url.decode(self.signature),
            user_handle=base64url.decode(self.user_handle) or None,
        )


class SecondForm(AssertionForm):
    """A passkey used after a password."""

    remember: Literal["yes"] | None = None


class AttestationForm(Form):
    """A passkey made, and what it shall be called."""

    name: Annotated[str, Field(max_length=200)]
    client_data: Bytes
    attestation: Statement
    transports: Annotated[str, Field(max_length=100)] = ""

    @property
    def sent(self) -> Attestation:
        return Attestation(
            client_data=base64url.decode(self.client_data),
            attestation_object=base64url.decode(self.attestation),
            transports=rules.known_transports(self.transports.split(" ")),
        )
