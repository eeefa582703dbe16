"""`python -m clients.portal --client-id X --port N --issuer URL`: serves one portal until it is told to stop."""

from pathlib import Path

import click
from granian import Granian
from granian.constants import Interfaces

from clients.portal.app import create_app
from clients.relying_party import manifest as manifests
from clients.relying_party.provider import Credentials, Provider


@click.command()
@click.option("--client-id", required=True, help="Which portal: the name of its manifest.")
@click.option("--port", required=True, type=int)
@click.option("--issuer", required=True, help="The provider, for example http://localhost:8000")
@click.option(
    "--manifest", "path", type=click.Path(path_type=Path, exists=True), help="Instead of clients/manifests/X.toml"
)
@click.option("--base-url", help="How browsers reach this portal; http://localhost:PORT by default.")
@click.option("--bind", default="127.0.0.1", show_default=True)
def main(client_id: str, port: int, issuer: str, path: Path | None, base_url: str | None, bind: str) -> None:
    """Serve the portal. PORTAL_CLIENT_SECRET_FILE or PORTAL_CLIENT_KEY_FILE names the file with its credentials."""
    manifest = manifests.read(client_id, path=path, base_url=base_url or f"http://localhost:{port}")
    method = manifest.registration.get("token_endpoint_auth_method", "client_secret_basic")
    provider = Provider(issuer, manifest=manifest, credentials=Credentials.from_environment(method))
    app = create_app(manifest, provider=provider)
    server = Granian(
        "clients.portal",
        address=bind,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        websockets=False,
    )
    server.serve(target_loader=lambda: app, wrap_loader=False)


if __name__ == "__main__":
    main()
