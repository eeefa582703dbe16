"""The managers' pages, by place."""

from flask import Flask

from idp.manage import access_views, bulk_views, export_views, invitation_views, request_views, review_views, views
from idp.manage.clerks import views as clerks
from idp.manage.partners import partner_views, practice_views


def mount(app: Flask) -> None:
    """Everything below `/manage`."""
    people = (views, request_views, invitation_views, bulk_views, clerks, access_views, review_views, export_views)
    for place in (*people, practice_views, partner_views):
        app.register_blueprint(place.bp)
