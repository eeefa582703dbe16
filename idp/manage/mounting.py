"""The managers' pages, by place."""

from flask import Flask

from idp.manage import access_views, bulk_views, invitation_views, request_views, review_views, views
from idp.manage.clerks import views as clerks


def mount(app: Flask) -> None:
    """Everything below `/manage`."""
    for place in (views, request_views, invitation_views, bulk_views, clerks, access_views, review_views):
        app.register_blueprint(place.bp)
