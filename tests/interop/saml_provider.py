"""A hospital's own SAML identity provider (pysaml2 with xmlsec1) beside the demo, and its connection applied there."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization

from tests.foundation import xml_bench
from tests.interop.connecting import apply
from tests.interop.hospital_person import LOGIN, PASSWORD
from tests.interop.npm import environment
from tests.interop.relying_parties import PEERS, served
from tests.journeys.demo import Demo
from tests.servers import binary, free_port

_CONNECTION = """
name = {{ en = "{title}", es = "{title}" }}
protocol = "saml"
issuer = {issuer}
portals = ["{portal}"]

[home]
email_domains = ["{name}.example"]

[people]
create = true
mailboxes = true

[claims]
email = "urn:mace:dir:attribute-def:mail"
given_name = "urn:mace:dir:attribute-def:givenName"
family_name = "urn:mace:dir:attribute-def:sn"

[saml]
email_verified = true
"""


@dataclass(frozen=True, slots=True)
class Hospital:
    """One provider: its name in the demo, its title on the button, and whom its one person is there."""

    demo: Demo
    name: str
    port: int
    folder: Path

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").title()

    @property
    def email(self) -> str:
        return f"{LOGIN}@{self.name}.example"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "out.log").read_text("utf-8", "replace")[-3000:]

    def apply(self, portal: str) -> None:
        """Its metadata as a file, then the connection, as an operator would."""
        clients = self.folder / "connections"
        (clients / self.name).mkdir(parents=True, exist_ok=True)
        metadata = httpx2.get(f"{self.base}/metadata", timeout=30, trust_env=False)
        (clients / self.name / "metadata.xml").write_text(metadata.text, "utf-8")
        issuer = json.dumps(f"{self.base}/metadata")
        text = _CONNECTION.format(title=self.title, issuer=issuer, portal=portal, name=self.name)
        (clients / f"{self.name}.toml").write_text(text, "utf-8")
        apply(self.demo, clients)


@contextmanager
def hospital(demo: Demo, name: str, folder: Path, *, portal: str) -> Iterator[Hospital]:
    """A provider that runs until the block ends, known to the demo and offered by `portal`."""
    xmlsec = binary("xmlsec1")
    if xmlsec is None:
        pytest.skip("no xmlsec1: apt-get install -y --no-install-recommends xmlsec1")
    now, port = datetime.now(UTC), free_port()
    private = xml_bench.RSA_KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    pem = xml_bench.certificate(since=now - timedelta(days=1), until=now + timedelta(days=30))
    (folder / "certificate.pem").write_text(pem, "ascii")
    told = environment(
        FOLDER=str(folder),
        PORT=str(port),
        XMLSEC=str(xmlsec),
        SP_METADATA=f"{demo.issuer}/federation/saml/{name}/metadata",
        LOGIN=LOGIN,
        PASSWORD=PASSWORD,
        NAME_ID=f"{name}-4711",
        EMAIL=f"{LOGIN}@{name}.example",
    )
    command = [sys.executable, str(PEERS / "pysaml2-idp/app.py")]
    with served(command, port=port, told=told, log=folder / "out.log"):
        found = Hospital(demo, name, port, folder)
        found.apply(portal)
        yield found
