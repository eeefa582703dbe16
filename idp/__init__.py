"""Credence: who signed in, how sure we are, and for which provider, practice or trading partner they may act."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask

    from idp.foundation.bridge import Bridge
    from idp.foundation.outer_wall import OuterWall
    from idp.oidc.at_hand import AtHand
    from idp.settings import Settings


def create_app(settings: "Settings") -> "Flask":
    """The whole application: the house is furnished, the rooms are mounted, the outer wall stands around all of it.

    Raises `KeysUnusable` when the keys cannot be used (R-21); the database is first asked by the first request.
    """
    from flask import Flask

    from idp.affiliations.searching import keeping
    from idp.affiliations.standing import recording
    from idp.foundation import database, error_pages, front_door, i18n, pages
    from idp.sessions import cookies

    recording.listen()
    keeping.listen()
    app = Flask("idp", static_folder=str(pages.STATIC), template_folder=str(pages.TEMPLATES))
    app.config["MAX_FORM_MEMORY_SIZE"] = 128 * 1024
    _furnish(app, settings)
    database.attach(app, url=settings.database_url)
    pages.attach(app)
    i18n.attach(app, default_zone=settings.default_zone)
    error_pages.attach(app)
    front_door.attach(app)
    cookies.attach(app)
    _mount(app, settings)
    app.wsgi_app = walled(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def bridged(app: "Flask", settings: "Settings", *, at_hand: "AtHand | None" = None) -> "Bridge":
    """The application as the production server calls it, with the short cuts before it behind walls of the same kind."""
    from dataclasses import replace
    from functools import partial

    from idp.authenticators.password import short_cut as sign_in_page
    from idp.foundation.bridge import Bridge
    from idp.foundation.quick_wall import QuickWall
    from idp.oidc import short_cuts
    from idp.oidc.at_hand import AtHand

    return Bridge(
        app,
        sign_ins=settings.kdf_concurrency + settings.kdf_queue,
        short_cuts=replace(short_cuts.of(app, at_hand or AtHand(app)), pages=(sign_in_page.of(app),)),
        quick_wall=QuickWall(settings=settings, behind_proxies=partial(_behind_proxies, settings=settings)),
    )


def walled(inner: "WSGIApplication", settings: "Settings") -> "OuterWall":
    """Nothing is outside the outer wall but the server; inside it the proxies that the operator named are believed."""
    from idp.foundation.outer_wall import OuterWall

    return OuterWall(_behind_proxies(inner, settings), settings=settings)


def _furnish(app: "Flask", settings: "Settings") -> None:
    """What one application has one of (`idp.foundation.house`)."""
    from idp.account.upstairs import upstairs
    from idp.affiliations.engagements import roster as engagements
    from idp.affiliations.managers.telling import Registrars
    from idp.affiliations.roster.service import hear
    from idp.authenticators.password.kdf import Kdf
    from idp.authenticators.webauthn.makers import Makers
    from idp.console.staff.facts import is_staff, registrars
    from idp.directory.upstairs import Upstairs as Directory
    from idp.foundation import house
    from idp.foundation.outgoing import Outgoing
    from idp.foundation.store import Store
    from idp.keyring.service import Keyring
    from idp.relying_parties.remote_keys import ClientKeys

    keyring = Keyring.open(settings.keys_dir, production=not settings.demo)
    outgoing = Outgoing(allow=settings.outgoing_allow, ca_file=settings.outgoing_ca_file, demo=settings.demo)
    for piece in (
        settings,
        keyring,
        outgoing,
        ClientKeys(outgoing),
        Store(settings.redis_url),
        Kdf.by(settings),
        Makers.by(settings),
        upstairs(is_staff=is_staff),
        Registrars(registrars),
        Directory((hear, engagements.hear)),
    ):
        house.furnish(app, piece)
    app.config["SECRET_KEY"] = keyring.derive("flask")


def _mount(app: "Flask", settings: "Settings") -> None:
    """The rooms, in the order of the house."""
    from idp.account import mounting as account
    from idp.affiliations import views as affiliations
    from idp.affiliations.clerks import views as access_offered
    from idp.affiliations.invitations import views as invitations
    from idp.affiliations.requests import views as access_requests
    from idp.authenticators.mounting import rooms as proofs
    from idp.consent import views as consent
    from idp.console import mounting as console
    from idp.demo import views as demo
    from idp.enrollment.mounting import rooms as ceremonies
    from idp.federation import mounting as federation
    from idp.foundation import health, house
    from idp.help import views as help_pages
    from idp.keyring.service import Keyring
    from idp.manage import mounting as manage
    from idp.messaging import views as messaging
    from idp.oidc import cors, json_errors
    from idp.oidc import views as oidc
    from idp.relying_parties import views as relying_parties
    from idp.sign_in import views as sign_in

    access = (affiliations, access_offered, access_requests, invitations)
    rooms = (relying_parties, help_pages, *proofs, *access, consent, *ceremonies, sign_in, oidc)
    for room in (*rooms, messaging, demo) if settings.demo else rooms:
        app.register_blueprint(room.bp)
    manage.mount(app)
    federation.mount(app)
    account.mount(app)
    console.mount(app)
    health.attach(app, keys=lambda: bool(house.get(Keyring).algs))
    cors.attach(app)
    json_errors.attach(app)


def _behind_proxies(inner: "WSGIApplication", settings: "Settings") -> "WSGIApplication":
    """Believe exactly as many proxies as the operator named, and none of them about the host (DI-02)."""
    if settings.trusted_proxies == 0:
        return inner
    from werkzeug.middleware.proxy_fix import ProxyFix

    hops = settings.trusted_proxies
    return ProxyFix(inner, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)
