"""The account's pages, room by room, as one thing to mount."""

from flask import Flask

from idp.account import views as account
from idp.account.activity import views as activity
from idp.account.closing import link_views as reopening
from idp.account.closing import views as closing
from idp.account.contact import proof_views as contact_proof
from idp.account.contact import views as contact
from idp.account.data import views as data
from idp.account.identities import views as identities
from idp.account.merging import views as merging
from idp.account.messages import views as messages
from idp.account.proofs import views as ways


def mount(app: Flask) -> None:
    """Register every page of the account."""
    for room in (
        account,
        contact,
        contact_proof,
        data,
        closing,
        reopening,
        activity,
        messages,
        ways,
        identities,
        merging,
    ):
        app.register_blueprint(room.bp)
