"""The console's blueprints, and the one guard before all of them."""

from flask import Flask
from sqlalchemy.orm import Session

from idp.account.closing import guards
from idp.console import guard
from idp.console.access import views as access
from idp.console.connections import views as connections
from idp.console.directory import views as directory
from idp.console.help_desk import views as help_desk
from idp.console.home import views as home
from idp.console.keys import views as keys
from idp.console.outbox import views as outbox
from idp.console.parties import views as parties
from idp.console.recoveries import views as recoveries
from idp.console.registrar import inviting_views, keeping_views
from idp.console.registrar import views as registrar
from idp.console.reviews import views as reviews
from idp.console.staff import facts as roles
from idp.console.staff import views as staff
from idp.console.trail import views as trail


def mount(app: Flask) -> None:
    """Mount every place of the console; the guard stands before them whatever they are."""
    guards.register(_is_staff)
    app.before_request(guard.ask)
    places = (
        home,
        registrar,
        keeping_views,
        inviting_views,
        recoveries,
        help_desk,
        directory,
        parties,
        connections,
        keys,
        outbox,
        trail,
        access,
        reviews,
        staff,
    )
    for bp in dict.fromkeys(place.bp for place in places):
        app.register_blueprint(bp)


def _is_staff(tx: Session, subject_id: str) -> bool:
    """Whoever serves the payer keeps the account while they do."""
    return roles.is_staff(tx, subject_id=subject_id)
