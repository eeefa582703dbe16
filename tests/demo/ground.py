"""A demo's own installation, without its processes."""

from dataclasses import dataclass
from datetime import datetime

from idp.demo import clients
from idp.demo.cli import MANIFESTS
from idp.demo.clients import DemoClient


@dataclass(frozen=True)
class DemoHouse:
    clients: tuple[DemoClient, ...]

    def apply(self, *, now: datetime) -> None:
        clients.apply(MANIFESTS, self.clients, now=now)
