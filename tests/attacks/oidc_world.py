"""What the attacks on the protocol do to its clients."""

from sqlalchemy import update

from idp.foundation.database import writing
from idp.relying_parties import service as relying_parties
from idp.relying_parties.models import Client
from tests.factories.make import PASSWORD

__all__ = ["PASSWORD", "turn_off"]


def turn_off(client_id: str) -> None:
    """Disable a client, as an operator does."""
    with writing() as tx:
        tx.execute(
            update(Client)
            .where(Client.client_id == client_id)
            .values(enabled=False, epoch=Client.epoch + 1, version=Client.version + 1)
        )
        relying_parties.changed(tx)
