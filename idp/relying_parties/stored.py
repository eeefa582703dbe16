"""How a manifest is kept: as JSON without its defaults, TINs sealed (SECURITY ST-04)."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from idp.foundation import house, vault
from idp.keyring.service import Keyring
from idp.relying_parties.manifest import Manifest


def to_row(manifest: Manifest, *, client_id: str) -> dict[str, Any]:
    """The JSON for `client.manifest`."""
    kept = manifest.model_dump(mode="json", exclude_defaults=True)
    if tins := _tins(kept):
        keys = house.get(Keyring).vault
        context = _context(client_id)
        kept["registration"]["approved_for"]["tins"] = [
            b64encode(vault.seal(tin.encode(), keys=keys, context=context)).decode() for tin in tins
        ]
    return kept


def from_row(kept: Mapping[str, Any], *, client_id: str) -> Manifest:
    """The manifest of a row; it was checked when it was applied."""
    return Manifest.model_validate(_opened(kept, client_id))


def resealed(kept: Mapping[str, Any], *, client_id: str) -> dict[str, Any] | None:
    """The row's JSON with its TINs under the active key; `None` when they are already, or when there are none."""
    active = house.get(Keyring).vault.active
    if all(vault.key_of(b64decode(tin)) == active for tin in _tins(kept)):
        return None
    return to_row(from_row(kept, client_id=client_id), client_id=client_id)


def _opened(kept: Mapping[str, Any], client_id: str) -> dict[str, Any]:
    if not (tins := _tins(kept)):
        return dict(kept)
    keys = house.get(Keyring).vault
    context = _context(client_id)
    opened = [vault.unseal(b64decode(tin), keys=keys, context=context).decode() for tin in tins]
    registration = kept["registration"]
    approved = registration["approved_for"] | {"tins": opened}
    return dict(kept) | {"registration": registration | {"approved_for": approved}}


def _tins(kept: Mapping[str, Any]) -> list[str]:
    return list((kept["registration"].get("approved_for") or {}).get("tins", ()))


def _context(client_id: str) -> str:
    return f"client.manifest:{client_id}"
