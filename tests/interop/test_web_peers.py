"""X2: web applications that sign people in by software nobody here wrote: Apache, Django and Flask with Authlib."""

import secrets
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.interop.relying_parties import PEERS, Part, provider_id, python_peer, runs_as, served, tin
from tests.journeys.demo import Demo
from tests.servers import binary, free_port

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]
MODULES = Path("/usr/lib/apache2/modules")


@pytest.mark.parametrize(
    ("peer", "client_id", "method"),
    [
        ("mozilla-django-oidc", "heartland-selfservice", "client_secret_basic"),
        ("mozilla-django-oidc", "carebridge-provider", "client_secret_post"),
        ("authlib-flask", "heartland-selfservice", "client_secret_basic"),
    ],
)
def test_X2_python_applications_read_provider_id_and_tin(
    demo: Demo, tmp_path: Path, peer: str, client_id: str, method: str
) -> None:
    part, log = Part(demo, client_id, method), tmp_path / "peer.log"
    with python_peer(peer, part, log) as browser:
        answer = browser.visit(f"{part.url}/")
        assert answer.status_code == 200, log.read_text("utf-8")[-3000:]
        told = answer.json()
    assert told["provider_id"] == provider_id()
    assert told["tin"] == tin()
    assert told["sub"]


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("heartland-selfservice", "client_secret_basic"), ("carebridge-provider", "client_secret_post")],
)
def test_X2_apache_reads_provider_id_and_tin(demo: Demo, client_id: str, method: str) -> None:
    module, program = MODULES / "mod_auth_openidc.so", binary("apache2") or "/usr/sbin/apache2"
    if not module.is_file() or not Path(program).is_file():
        pytest.skip("no apache: apt-get install -y --no-install-recommends libapache2-mod-auth-openidc")
    part, port = Part(demo, client_id, method), free_port()
    with TemporaryDirectory(prefix="credence-apache-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "www").mkdir()
        (folder / "www/index.html").write_text("signed in\n", "utf-8")
        shutil.copy(PEERS / "mod_auth_openidc/apache2.conf", folder)
        told = part.told(
            FOLDER=str(folder),
            MODULES=str(MODULES),
            PORT=str(port),
            RUN_AS=runs_as(),
            SECRET=part.credentials.read_text("utf-8").strip(),
            PASSPHRASE=secrets.token_urlsafe(32),
        )
        command = [program, "-DFOREGROUND", "-f", str(folder / "apache2.conf")]
        with served(command, port=port, told=told, log=folder / "out.log"):
            with part.browser({part.url: f"http://localhost:{port}"}) as browser:
                answer = browser.visit(f"{part.url}/index.html")
            assert answer.text == "signed in\n", (folder / "error.log").read_text("utf-8")[-3000:]
    assert answer.headers["Provider-Id"] == provider_id()
    assert answer.headers["Tin"] == tin()
    assert answer.headers["Signed-In-As"]
