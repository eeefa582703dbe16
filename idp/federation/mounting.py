"""The federation's blueprints: what both protocols share, then each of them."""

from flask import Flask

from idp.federation import home_views, views
from idp.federation.upstream_oidc import views as upstream_oidc
from idp.federation.upstream_saml import views as upstream_saml
from idp.foundation import kept_pages


def mount(app: Flask) -> None:
    """Mount the pages (`home_views` adds its own to those of `views`), and the addresses where providers answer."""
    for place in (home_views, upstream_oidc, upstream_saml):
        app.register_blueprint(place.bp)
    kept_pages.varies(app, views.connections_shown)
