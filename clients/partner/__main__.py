"""`python -m clients.partner serve|token|claims|login`: the partner app, and the same by hand.

The commands print JSON. Exit codes: 0 answered, 1 refused, 2 not possible (wrong use, or no answer).
"""

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click
from flask import Flask, Response, request
from granian import Granian
from granian.constants import Interfaces
from werkzeug.serving import WSGIRequestHandler, make_server

from clients.partner.app import create_app
from clients.partner.asking import CONNECT_SCOPE, ask_api, own_token, resource_of
from clients.relying_party import manifest as manifests
from clients.relying_party import sign_in
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Credentials, Provider, ProviderRefused, ProviderUnavailable, Tokens
from clients.relying_party.tokens import Untrusted, peek
from clients.relying_party.visits import SignedIn, Visits

WAIT_FOR_A_PERSON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Partner:
    manifest: Manifest
    provider: Provider


@click.group()
@click.option("--client-id", default="harborline-analytics", show_default=True)
@click.option("--issuer", default="http://localhost:8000", show_default=True)
@click.option(
    "--manifest", "path", type=click.Path(path_type=Path, exists=True), help="Instead of clients/manifests/X.toml"
)
@click.option("--base-url", help="Where the app is served; the manifest's by default.")
@click.pass_context
def main(context: click.Context, client_id: str, issuer: str, path: Path | None, base_url: str | None) -> None:
    """The demo partner app. PORTAL_CLIENT_KEY_FILE names the file with its private key."""
    context.obj = {"client_id": client_id, "issuer": issuer, "path": path, "base_url": base_url}


def shared_options(command: Any) -> Any:
    """The group's options, accepted after the command too."""
    for option in (
        click.option("--client-id"),
        click.option("--issuer"),
        click.option("--manifest", "path", type=click.Path(path_type=Path, exists=True)),
        click.option("--base-url"),
    ):
        command = option(command)
    return command


@main.command()
@click.option("--port", required=True, type=int)
@click.option("--bind", default="127.0.0.1", show_default=True)
@shared_options
@click.pass_obj
def serve(before: dict[str, Any], /, port: int, bind: str, **given: Any) -> None:
    """Serve the page and the protected API."""
    partner = _partner(before, given, base_url=f"http://localhost:{port}")
    app = create_app(partner.manifest, provider=partner.provider)
    # The page asks the API of this same process, so one thread is not enough.
    server = Granian(
        "clients.partner",
        address=bind,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        websockets=False,
    )
    server.serve(target_loader=lambda: app, wrap_loader=False)


@main.command()
@click.option("--provider-id", required=True, help="For whom; the partner must be approved for it.")
@shared_options
@click.pass_obj
def token(before: dict[str, Any], /, provider_id: str, **given: Any) -> None:
    """Fetch an access token for one provider, by client credentials."""
    partner = _partner(before, given)
    tokens = _own(partner, provider_id)
    _print({"access_token": tokens.access_token, "scope": tokens.scope, "content": peek(tokens.access_token)})


@main.command()
@click.option("--provider-id", required=True)
@shared_options
@click.pass_obj
def claims(before: dict[str, Any], /, provider_id: str, **given: Any) -> None:
    """Ask the protected API for one provider's claims, by client credentials."""
    partner = _partner(before, given)
    tokens = _own(partner, provider_id)
    try:
        status, answer = ask_api(partner.manifest, access_token=tokens.access_token, provider_id=provider_id)
    except ProviderUnavailable as error:
        _impossible(f"the API does not answer: {error}")
    _print(answer)
    sys.exit(0 if status == 200 else 1)


@main.command()
@shared_options
@click.pass_obj
def login(before: dict[str, Any], /, **given: Any) -> None:
    """Connect a person: prints the address to open, waits for the answer, prints what was released.

    It listens where the app would (the registered redirect URI), so stop `serve` first.
    """
    partner = _partner(before, given)
    visits, moment = Visits(idle=WAIT_FOR_A_PERSON), datetime.now(UTC)
    visit = visits.begin(now=moment)
    resource = resource_of(partner.manifest)
    try:
        url = sign_in.ask(
            visit,
            visits=visits,
            provider=partner.provider,
            scope=CONNECT_SCOPE,
            target="",
            now=moment,
            resource=resource,
        )
        click.echo(f"Open this address in a browser:\n{url}", err=True)
        answer = _one_answer(partner.manifest)
        who, _ = sign_in.answer(
            visit,
            visits=visits,
            provider=partner.provider,
            parameters=answer,
            now=datetime.now(UTC),
            resource=resource,
        )
    except (sign_in.SignInRefused, ProviderRefused) as refused:
        _refused(refused.code)
    except (sign_in.NotAsked, Untrusted, ProviderUnavailable) as error:
        _impossible(f"{type(error).__name__}: {error}")
    _print(_released(who))


class Silent(WSGIRequestHandler):
    """Logs nothing: the address that comes back holds the code."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def _one_answer(manifest: Manifest) -> dict[str, str]:
    """Waits for the browser to come back to the redirect URI, once."""
    app, received = Flask("clients.partner.login"), dict[str, str]()

    @app.get("/callback")
    def callback() -> Response:
        received.update(request.args.to_dict())
        return Response("You can close this page.", content_type="text/plain; charset=utf-8")

    port = urlsplit(manifest.base_url).port or 80
    try:
        server = make_server("127.0.0.1", port, app, request_handler=Silent)
    except (OSError, SystemExit):
        _impossible(f"port {port} is taken; is `serve` running?")
    closing = time.monotonic() + WAIT_FOR_A_PERSON.total_seconds()
    while not received and time.monotonic() < closing:
        server.timeout = closing - time.monotonic()
        server.handle_request()
    server.server_close()
    return received


def _released(who: SignedIn) -> dict[str, Any]:
    return {"id_token": who.id_claims, "userinfo": who.userinfo, "access_token": peek(who.access_token)}


def _own(partner: Partner, provider_id: str) -> Tokens:
    try:
        return own_token(partner.provider, manifest=partner.manifest, provider_id=provider_id, now=datetime.now(UTC))
    except ProviderRefused as refused:
        _refused(refused.code)
    except ProviderUnavailable as error:
        _impossible(f"the provider does not answer: {error}")


def _partner(before: dict[str, Any], given: dict[str, Any], *, base_url: str | None = None) -> Partner:
    chosen = before | {name: value for name, value in given.items() if value is not None}
    manifest = manifests.read(chosen["client_id"], path=chosen["path"], base_url=chosen["base_url"] or base_url)
    method = manifest.registration["token_endpoint_auth_method"]
    return Partner(
        manifest, Provider(chosen["issuer"], manifest=manifest, credentials=Credentials.from_environment(method))
    )


def _print(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def _refused(code: str) -> NoReturn:
    _print({"error": code})
    sys.exit(1)


def _impossible(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
