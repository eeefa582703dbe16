"""What is wrong with a SAML answer, in words for whoever sets a connection up; people who sign in read one sentence."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.federation.rules import Reason as Shared
from idp.federation.upstream_saml import theirs
from idp.federation.upstream_saml.rules import Reason
from idp.foundation import xml, xml_signature

_METADATA: Final = _(
    "Its metadata, as applied, cannot be used any more. Fetch it anew, then idp connections plan says why."
)
EXPLAINED: Final[Mapping[StrEnum, LazyString]] = {
    Reason.UNREADABLE: _("What it posted is no SAML message: not base64, or without ID, version or time."),
    Reason.NOT_A_RESPONSE: _("What it posted is no SAML 2.0 response."),
    Reason.DENIED: _("It refused the request, or the person cancelled there."),
    Reason.NO_AUTHN_CONTEXT: _("It cannot sign anybody in the way that authn_contexts asks for."),
    Reason.ENCRYPTED: _("It encrypts its assertions. Switch that off there: our metadata names no key for it, and the way is https."),
    Reason.ASSERTIONS: _("Its response holds no assertion, or more than one."),
    Reason.UNSIGNED: _("It signs the response alone. Switch on there that assertions are signed."),
    Reason.ISSUER: _("The issuer it names is not the issuer in the connection. They must be equal, letter by letter."),
    Reason.DESTINATION: _("Its response was meant for another address. Give it our metadata again."),
    Reason.RECIPIENT: _("Its assertion was meant for another address. Give it our metadata again."),
    Reason.AUDIENCE: _("Its assertion was made for another audience than our entity ID, which is the address of our metadata."),
    Reason.CONDITIONS: _("Its assertion has no conditions, or some that are not known here."),
    Reason.CONFIRMATION: _("Its assertion does not say once, as bearer, to whom and until when it may be presented."),
    Reason.EXPIRED: _("Its assertion had expired. Compare the clocks."),
    Reason.NOT_YET: _("Its assertion is not valid yet. Compare the clocks."),
    Reason.TOO_LONG: _("Its assertion may be presented for more than a day. Shorten that there."),
    Reason.IN_RESPONSE_TO: _("It answers another request than ours. Does it return RelayState unchanged?"),
    Reason.UNSOLICITED: _("It sent an answer that nobody asked for, and the connection does not allow that."),
    Reason.STATEMENT: _("Its assertion does not say, once, when the person signed in there."),
    Reason.SUBJECT: _("Its assertion names nobody, or more than one, or by a name that is no plain text of at most 255 characters."),
    Reason.TRANSIENT: _("It names people by a name that changes each time (transient). Choose a persistent one there."),
    Reason.NAME_ID_FORMAT: _("It names people in another format than name_id_format asks for."),
    Reason.REPLAYED: _("This assertion was presented before."),
    xml.Reason.TOO_LARGE: _("What it posted is too large. Let it send fewer attributes."),
    xml.Reason.TOO_DEEP: _("What it posted has too many elements. Let it send fewer attributes."),
    xml.Reason.NOT_PLAIN: _("What it posted has a document type, a comment, an instruction or a marked section; none is ever read."),
    xml.Reason.MALFORMED: _("What it posted is no XML."),
    xml_signature.Reason.UNSIGNED: _("It signs nothing. Switch on there that assertions are signed."),
    xml_signature.Reason.SHAPE: _("Its signature has a shape that is not taken: it must cover the assertion that it stands in, by exclusive canonical XML."),
    xml_signature.Reason.ALGORITHM: _("It signs with a method that is not taken. Choose RSA or ECDSA with SHA-256 there."),
    xml_signature.Reason.DIGEST: _("The assertion was changed after it was signed."),
    xml_signature.Reason.SIGNATURE: _("It signs with a key that its metadata, as applied, does not name. Has it changed its certificate?"),
    xml_signature.Reason.EXPIRED_CERTIFICATE: _("It signs under a certificate that has expired, or is not valid yet."),
    xml_signature.Reason.AMBIGUOUS: _("An ID or a signed element stands twice in what it posted."),
    **dict.fromkeys(theirs.Reason, _METADATA),
    Shared.UNFIT_METADATA: _METADATA,
}  # fmt: skip
