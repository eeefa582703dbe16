"""The one place that speaks to py_webauthn: signatures and structure; `rules` has judged the rest before.

The library raises its own exceptions, but also KeyError, TypeError, ValueError and those of cryptography for bytes that
it cannot read. To us all of them say the same: not an answer of an authenticator (MF-31).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authenticator_data,
    parse_cbor,
)
from webauthn.helpers.cose import COSECRV, COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey, DecodedRSAPublicKey
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from idp.authenticators.webauthn import rules
from idp.authenticators.webauthn.rules import (
    Assertion,
    Attestation,
    AuthenticatorData,
    Credential,
    Reason,
    RelyingPartyId,
)
from idp.vocabulary.refused import Refused

ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
_SHORTEST_RSA: Final = 256
"""Bytes of the modulus (KY-12)."""
_LONGEST_ID: Final = 1023
"""WebAuthn §4, credential ID."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that an authenticator made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    attested: bool
    aaguid: UUID


def verify_use(
    sent: Assertion, *, challenge: str, credential: Credential, us: RelyingPartyId, named_by_key: bool
) -> AuthenticatorData | Refused:
    """Whether the holder of `credential` answered `challenge` on our page just now; the counter is the caller's."""
    told = _judged(sent.client_data, sent.authenticator_data, challenge=challenge, type_="webauthn.get", us=us)
    if isinstance(told, Refused):
        return told
    refused = rules.why_not_this_key(credential, told, user_handle=sent.user_handle, named_by_key=named_by_key)
    if refused is not None:
        return refused
    response = AuthenticatorAssertionResponse(
        client_data_json=sent.client_data,
        authenticator_data=sent.authenticator_data,
        signature=sent.signature,
        user_handle=sent.user_handle,
    )
    try:
        verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(sent.credential_id), raw_id=sent.credential_id, response=response
            ),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=us.id,
            expected_origin=us.origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:
        return Refused(Reason.BAD_SIGNATURE)
    return told


def verify_new(sent: Attestation, *, challenge: str, us: RelyingPartyId, roots: Sequence[bytes]) -> NewKey | Refused:
    """The key that an authenticator made for `challenge`; `roots` are the makers whom the operator trusts, as PEM."""
    read = _read(sent.attestation_object)
    if isinstance(read, Refused):
        return read
    told = _judged(sent.client_data, read.signed, challenge=challenge, type_="webauthn.create", us=us)
    if isinstance(told, Refused):
        return told
    certified = read.certified and bool(roots)
    verified = _verified(sent, read, challenge=challenge, us=us, roots=roots if certified else ())
    attested = certified and not isinstance(verified, Refused)
    if certified and not attested:  # a maker whom the operator did not name: a passkey as any other
        verified = _verified(sent, read, challenge=challenge, us=us, roots=())
    if isinstance(verified, Refused):
        return verified
    return NewKey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        backup_eligible=told.backup_eligible,
        backed_up=told.backed_up,
        attested=attested,
        aaguid=UUID(verified.aaguid),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """An attestation object taken apart."""

    signed: bytes
    """The authenticator data, as it was signed."""
    credential_id: bytes
    certified: bool
    """A maker's certificate came with it."""


def _read(attestation_object: bytes) -> _Read | Refused:
    try:
        parts = parse_cbor(attestation_object)
        signed, statement = parts["authData"], parts["attStmt"]
        made = parse_authenticator_data(signed).attested_credential_data
        if made is None or not 0 < len(made.credential_id) <= _LONGEST_ID or not _is_strong(made.credential_public_key):
            return Refused(Reason.MALFORMED)
        certified = parts["fmt"] == AttestationFormat.PACKED.value and bool(statement.get("x5c"))
        return _Read(bytes(signed), made.credential_id, certified)
    except Exception:
        return Refused(Reason.MALFORMED)


def _is_strong(public_key: bytes) -> bool:
    """Whether a key is of a kind that we asked for and not too short (KY-12)."""
    key = decode_credential_public_key(public_key)
    decoded_public_key_to_cryptography(key)  # raises for a point off its curve, which the library leaves for later
    if isinstance(key, DecodedRSAPublicKey):
        return len(key.n.lstrip(b"\0")) >= _SHORTEST_RSA
    return not isinstance(key, DecodedEC2PublicKey) or key.crv == COSECRV.P256


def _judged(
    client_data: bytes, signed: bytes, *, challenge: str, type_: str, us: RelyingPartyId
) -> AuthenticatorData | Refused:
    client, told = rules.client_data_of(client_data), rules.authenticator_data_of(signed)
    if isinstance(client, Refused):
        return client
    if isinstance(told, Refused):
        return told
    return rules.why_not(client, told, asked=challenge, type_=type_, us=us) or told


def _verified(
    sent: Attestation, read: _Read, *, challenge: str, us: RelyingPartyId, roots: Sequence[bytes]
) -> VerifiedRegistration | Refused:
    """Without roots the library checks an attestation's form and signature, and believes any maker."""
    response = AuthenticatorAttestationResponse(
        client_data_json=sent.client_data, attestation_object=sent.attestation_object
    )
    try:
        return verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(read.credential_id), raw_id=read.credential_id, response=response
            ),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=us.id,
            expected_origin=us.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
            pem_root_certs_bytes_by_fmt={AttestationFormat.PACKED: list(roots)},
        )
    except Exception:
        return Refused(Reason.BAD_ATTESTATION)
