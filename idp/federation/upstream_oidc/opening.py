"""Taking a signed token out of an encrypted one, where its connection says how it comes; nothing is believed by that."""

from idp.federation.connections.manifest import Connection
from idp.foundation import house, jose, jwe
from idp.foundation.jwe import Opened
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused


def opened(connection: Connection, token: str, *, may_be_plain: bool = False) -> Opened | Refused:
    """The signed token inside, still to be verified.

    A connection that names no encryption takes none, and one that does takes nothing plain: what anybody could read on
    the way is not what was agreed. Sign-out messages alone may come either way (Back-Channel Logout §2.4).
    """
    oidc = connection.oidc
    encryption = oidc.encryption if oidc is not None else None
    if encryption is None:
        return Refused(jose.Reason.ENCRYPTION) if jwe.is_encrypted(token) else Opened(token)
    if may_be_plain and not jwe.is_encrypted(token):
        return Opened(token)
    if not jwe.is_encrypted(token):
        return Refused(jose.Reason.ENCRYPTION)
    keys = house.get(Keyring).decryption_keys()
    return jwe.decrypt(token, keys=keys, alg=encryption.alg, enc=encryption.enc)
