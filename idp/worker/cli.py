"""`idp worker` and `idp sweep`."""

import json
import signal
import threading

import click
from flask.cli import with_appcontext

from idp.authenticators.push import delivery as push_delivery
from idp.foundation import clock, house
from idp.foundation.outgoing import Outgoing
from idp.messaging.delivery import Delivery
from idp.oidc import logout_delivery
from idp.settings import Settings
from idp.worker.loop import Worker
from idp.worker.service import Ports
from idp.worker.sweep import sweep as sweep_now


@click.command()
@click.option("--once", is_flag=True, help="Do all that is due now, then end.")
@with_appcontext
def worker(*, once: bool) -> None:
    """Send what is owed: messages and logout calls; clear up each minute.

    Any number may run beside each other. SIGTERM or SIGINT lets the try at hand end first.
    """
    settings = house.get(Settings)
    ports = Ports(Delivery.of(settings, outgoing=house.get(Outgoing)), logout_delivery.deliver, push_delivery.deliver)
    busy = Worker(ports, settings.data_dir, clock.now, threading.Event())
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: busy.stop.set())
    if once:
        click.echo(f"{busy.run_until_idle()} done")
    else:
        busy.run()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def sweep(*, as_json: bool) -> None:
    """Clear up once: end what has expired, delete what nobody needs."""
    cleared = sweep_now(now=clock.now())
    if as_json:
        click.echo(json.dumps(cleared))
        return
    for name, count in cleared.items():
        click.echo(f"{name.replace('_', ' ')}: {count}")
