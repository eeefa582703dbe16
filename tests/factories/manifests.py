"""A small valid manifest, to be changed by the test."""

from typing import Any

from idp.relying_parties.manifest import Manifest

_COLOURS = {
    "accent_light": "#1F5FA8", "accent_dark": "#8FBDF0", "soft_light": "#E8F0FA", "soft_dark": "#1B2A3C",
    "fill_dark": "#2A5F9E", "band_light": "#1F5FA8", "band_dark": "#14293F", "initials": "TP",
}  # fmt: skip


def manifest(
    client_id: str = "ozark-secure",
    *,
    base_url: str | None = None,
    registration: dict[str, Any] | None = None,
    portal: dict[str, Any] | None = None,
    partner: bool = False,
    **changed: Any,
) -> Manifest:
    """A first-party portal of registry `ozark` that takes practices and groups; `partner=True` makes it no portal."""
    usual_registration: dict[str, Any] = {
        "redirect_uris": ["/callback"],
        "post_logout_redirect_uris": ["/signed-out"],
        "backchannel_logout_uri": "/backchannel-logout",
        "initiate_login_uri": "/sign-in",
        "scope": "openid profile email provider_id tin entitlements offline_access",
        "first_party": not partner,
    }
    usual_portal: dict[str, Any] = {
        "switch_uri": "/switch-provider",
        "registry": "ozark",
        "acting_for": ["provider", "practice"],
        "accepts": "letter",
        "accepts_for_manager": "letter",
    }
    values: dict[str, Any] = {
        "name": f"{client_id} of the tests",
        "short_name": client_id,
        "base_url": base_url or f"https://{client_id}.test",
        "registration": usual_registration | (registration or {}),
        "brand": _COLOURS,
        "help": {"phone": "555-0100"},
        "levels": [
            {"key": "claims.inquiry", "label": {"en": "Claims inquiry", "es": "Consulta de reclamos"}},
            {"key": "admin", "label": {"en": "Administrator", "es": "Administrador"}, "manages": True},
        ],
    }
    if not partner:
        values["portal"] = usual_portal | (portal or {})
    return Manifest.model_validate(values | changed)
