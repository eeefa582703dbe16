"""The partner app and its API as one WSGI app."""

from flask import Flask

from clients.partner import api, connect
from clients.partner.asking import resource_of
from clients.relying_party import backchannel
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Provider
from clients.relying_party.site import create_site


def create_app(manifest: Manifest, *, provider: Provider) -> Flask:
    """Sessions are in this process's memory: run it with one worker."""
    app = create_site("clients.partner", manifest=manifest, provider=provider)
    app.config["RESOURCE"] = resource_of(manifest)
    app.register_blueprint(connect.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(backchannel.bp)
    return app
