"""The portal as a WSGI app."""

from flask import Flask

from clients.portal import pages, signing_in, signing_out
from clients.relying_party import backchannel
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Provider
from clients.relying_party.site import create_site


def create_app(manifest: Manifest, *, provider: Provider) -> Flask:
    """One portal, of one provider. Its sessions are in this process's memory: run it with one worker."""
    app = create_site("clients.portal", manifest=manifest, provider=provider)
    for part in (pages.bp, signing_in.bp, signing_out.bp, backchannel.bp):
        app.register_blueprint(part)
    return app
