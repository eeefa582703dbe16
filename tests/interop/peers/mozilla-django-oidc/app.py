"""mozilla-django-oidc, unmodified, as a relying party of Credence: one protected page that says for whom the person acts."""

import json
import os
import secrets
from pathlib import Path
from wsgiref.simple_server import make_server

import django
from django.conf import settings

ISSUER = os.environ["ISSUER"]

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(40),
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    AUTHENTICATION_BACKENDS=[f"{__name__}.Backend"],
    LOGIN_URL="/sign-in",
    LOGIN_REDIRECT_URL="/",
    LOGIN_REDIRECT_URL_FAILURE="/failed",
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/oauth/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/oauth/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/oauth/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/oauth/jwks",
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=Path(os.environ["CREDENTIALS"]).read_text("utf-8").strip(),
    OIDC_RP_SCOPES=os.environ["SCOPE"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_TOKEN_USE_BASIC_AUTH=os.environ["METHOD"] == "client_secret_basic",
    OIDC_USE_PKCE=True,
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from mozilla_django_oidc import views  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class Backend(OIDCAuthenticationBackend):
    """Keeps for whom the person acts, as the package's manual says to keep more claims."""

    def get_userinfo(self, access_token, id_token, payload):
        told = super().get_userinfo(access_token, id_token, payload)
        self.request.session["acting"] = {name: told[name] for name in ("sub", "provider_id", "tin")}
        return told


@login_required
def home(request: HttpRequest) -> JsonResponse:
    return JsonResponse(request.session["acting"])


urlpatterns = [
    path("", home),
    path("sign-in", views.OIDCAuthenticationRequestView.as_view(), name="oidc_authentication_init"),
    path("callback", views.OIDCAuthenticationCallbackView.as_view(), name="oidc_authentication_callback"),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    make_server("127.0.0.1", int(os.environ["PORT"]), get_wsgi_application()).serve_forever()
