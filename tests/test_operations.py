"""docs/operations.md by its own words: its commands make two nodes behind its proxy and upgrade them."""

import contextlib
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from idp.settings import PROJECT
from tests.messaging.sinks import certificate
from tests.servers import Postgres, RedisServer, accepts, binary, free_port, until

OPERATIONS = PROJECT / "docs" / "operations.md"
DEPLOY = PROJECT / "docs" / "deploy"
INJECTION = Path(__file__).parent / "faults" / "injection"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_HERE = ("apt-get ", "useradd ", "git pull", "make install", "systemctl ")
"""What needs a machine of its own; `make test` installs the packages, and the units' own commands are run below."""
PORTAL = """\
name = "Harbor Analytics"
short_name = "Harbor"
base_url = "https://harbor.example"
[registration]
redirect_uris = []
token_endpoint_auth_method = "client_secret_basic"
grant_types = ["client_credentials"]
scope = "openid"
resources = ["https://api.harbor.example"]
[registration.approved_for]
registry = "heartland"
provider_ids = ["604417290"]
[registration.access_token]
audience = "https://api.harbor.example"
[brand]
accent_light = "#3D4F8A"
accent_dark = "#A9B8F2"
soft_light = "#EAEDF8"
soft_dark = "#1E2640"
fill_dark = "#5A6DB0"
band_light = "#2E3D6E"
band_dark = "#232E54"
initials = "HA"
tagline = { en = "Claims insight.", es = "Claims insight." }
[help]
phone = "1-800-555-0120"
hours = { en = "Weekdays", es = "Weekdays" }
email = "help@harbor.example"
"""


def blocks(heading: str) -> list[str]:
    """The commands below a heading of the page, in order."""
    text = OPERATIONS.read_text("utf-8")
    return BLOCK.findall(text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0])


def told_by(file: str) -> str:
    """What the page says that a file of `/etc/credence` holds."""
    found = re.search(rf"^\| `{file}` \| `([^`]+)`", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


@dataclass
class Site:
    """What the page's addresses and folders are here."""

    folder: Path
    postgres: Postgres
    redis: RedisServer
    tls: int = field(default_factory=free_port)
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    nodes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.tls}"

    def here(self, text: str, *, node: int = 0) -> str:
        """The page's words with this machine's names."""
        names = {
            "10.0.0.11:8000": f"127.0.0.1:{self.ports[0 if node == 0 else 1]}", "10.0.0.12:8000": f"127.0.0.1:{self.ports[1]}",
            "redis://:redis-password@10.0.0.20:6379": f"redis://127.0.0.1:{self.redis.port}", "10.0.0.20/credence?sslmode=require": f"127.0.0.1:{self.postgres.port}/credence",
            "https://id.example.org": self.issuer, "id.example.org": "localhost", "listen 443": f"listen 127.0.0.1:{self.tls}",
            "/etc/credence": str(self.folder / "etc"), "/var/lib/credence": str(self.folder / "var"),
            "/srv/credence/.venv/bin/idp": f"{sys.executable} -m idp", ".venv/bin/idp": f"{sys.executable} -m idp",
            "/srv/credence": str(PROJECT), "smtp+starttls://mail.example.org:587": "smtp://127.0.0.1:9", "-g credence ": "",
        }  # fmt: skip
        for name, meant in names.items():
            text = text.replace(name, meant)
        return text

    def run(self, script: str) -> str:
        """A block of the page, by bash, stopping at the first command that fails."""
        lines = [line for line in script.splitlines() if not line.startswith(NOT_HERE)]
        own = {"PATH": os.environ["PATH"], "CURL_CA_BUNDLE": str(self.folder / "etc/tls/fullchain.pem")}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here("\n".join(lines))],
            env=own, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, f"{script}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def unit(self, name: str, *, node: int = 0) -> "subprocess.Popen[bytes]":
        """A service as its unit starts it, with the settings file that it names."""
        command = re.search(r"^ExecStart=(.*)$", (DEPLOY / name).read_text("utf-8"), re.MULTILINE)
        assert command is not None
        settings = (self.folder / f"node-{node}.env").read_text("utf-8")
        own = dict(shlex.split(line)[0].split("=", 1) for line in settings.splitlines() if line and line[0] != "#")
        own |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(INJECTION), "CLOCK_FILE": str(self.clock(node))}
        with self.log(name, node).open("wb") as log:
            started = subprocess.Popen(
                shlex.split(self.here(command[1])), env=own, cwd=PROJECT, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.running.append(started)
        return started

    def log(self, name: str, node: int) -> Path:
        return self.folder / f"{name}-{node}.log"

    def clock(self, node: int) -> Path:
        """By how many seconds that node's is ahead."""
        return self.folder / f"clock-{node}"

    def ask(self, path: str) -> httpx2.Response:
        """Through the proxy."""
        return httpx2.get(self.issuer + path, verify=self.trusting(), timeout=20, trust_env=False)

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "etc/tls/fullchain.pem"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """PostgreSQL with the page's two roles, Redis, and the folders."""
    for program in ("postgres", "redis-server", "nginx", "curl"):
        if binary(program) is None and not Path(f"/usr/sbin/{program}").exists():
            pytest.skip(
                "needs Debian's: apt-get install -y --no-install-recommends postgresql redis-server nginx-light curl"
            )
    folder = tmp_path_factory.mktemp("site")
    site = Site(folder, Postgres().start(), RedisServer().start())
    try:
        yield site
    finally:
        for each in reversed(site.running):
            kill(each)
        site.redis.remove()
        site.postgres.remove()


@pytest.fixture(scope="module")
def two_nodes(site: Site) -> Site:
    """Everything under *Two nodes from nothing* up to the questions by curl, in the order of the page."""
    roles = re.search(r"```sql\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    assert roles is not None
    psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", site.postgres.url("postgres")]
    subprocess.run(psql, input=roles[1], text=True, check=True, capture_output=True)
    packages, ground, tables, start, _asked, _upgrade = blocks("## Two nodes from nothing")
    assert all(each.startswith(NOT_HERE) for each in packages.splitlines() + start.splitlines())
    site.run(ground)
    etc, var = site.folder / "etc", site.folder / "var"
    for each in ("tls", "portals"):
        (etc / each).mkdir(parents=True)
    (etc / "portals" / "harbor-analytics.toml").write_text(PORTAL, "utf-8")
    application, redis = told_by("database-url"), told_by("redis-url")
    (etc / "database-url").write_text(site.here(application), "utf-8")
    (etc / "redis-url").write_text(site.here(redis), "utf-8")
    owner = application.replace("credence_app:app-password", "credence_owner:owner-password")
    (etc / "database-owner-url").write_text(site.here(owner), "utf-8")
    var.mkdir(mode=0o700)
    for node in (0, 1):
        (site.folder / f"node-{node}.env").write_text(
            site.here((DEPLOY / "credence.env").read_text("utf-8"), node=node)
        )
    (etc / "credence.env").write_text((site.folder / "node-0.env").read_text("utf-8"), "utf-8")
    said = site.run(tables.replace(".venv/bin/idp doctor", "{ .venv/bin/idp doctor || true; }"))
    assert "harbor-analytics" in said
    assert [line.split()[1] for line in said.splitlines() if line.startswith("bad")] == ["mail"], said
    _start(site)
    return site


def _start(site: Site) -> None:
    tls = site.folder / "etc" / "tls"
    _, file = certificate(tls)
    file.rename(tls / "fullchain.pem")
    site.clock(1).write_text("3600", "utf-8")
    site.nodes[:] = [site.unit("credence.service", node=node) for node in (0, 1)]
    site.unit("credence-worker.service")
    around = site.folder / "nginx.conf"
    inner = site.folder / "credence.conf"
    inner.write_text(site.here((DEPLOY / "nginx.conf").read_text("utf-8")), "utf-8")
    around.write_text(
        f"daemon off; pid {site.folder}/nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; include {inner}; }}\n"
    )
    with (site.folder / "nginx.log").open("wb") as log:
        site.running.append(
            subprocess.Popen(["/usr/sbin/nginx", "-c", str(around)], stdout=log, stderr=log, start_new_session=True)
        )
    waits = site.log("credence.service", 1)
    until(lambda: "nothing is served" in waits.read_text("utf-8"), seconds=90, what="no node waits for its clock")
    assert not accepts(site.ports[1])
    site.clock(1).unlink()
    for port in (*site.ports, site.tls):
        until(lambda port=port: accepts(port), seconds=90, what=f"nobody listens at {port}")


pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("operations")]


def test_the_pages_commands_make_two_nodes_behind_a_proxy(two_nodes: Site) -> None:
    told = two_nodes.run(blocks("## Two nodes from nothing")[4])
    assert f'"issuer":"{two_nodes.issuer}"' in told.replace(" ", "")
    page = two_nodes.ask("/sign-in")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert page.headers["Strict-Transport-Security"]
    assert two_nodes.ask("/metrics").status_code == 404


def test_doctor_asks_the_database_whose_the_tables_are(two_nodes: Site) -> None:
    node = "set -a; . /etc/credence/credence.env; set +a\n"
    as_owner = "export IDP_DATABASE_URL_FILE=/etc/credence/database-owner-url\n"
    doctor, warned = ".venv/bin/idp doctor || true", "the application is the owner of its tables"
    assert warned not in two_nodes.run(node + doctor)
    assert warned in two_nodes.run(node + as_owner + doctor)


def test_tokens_go_on_when_a_node_dies_and_none_fails_in_a_rolling_reload(two_nodes: Site) -> None:
    failed: list[object] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            try:
                status = token(two_nodes).status_code
            except httpx2.TransportError as error:
                failed.append(error)
                continue
            if status != 200:
                failed.append(status)

    asking = threading.Thread(target=ask)
    asking.start()
    *_, upgrade = blocks("## Two nodes from nothing")
    assert "up to date\nnothing to do" in two_nodes.run(upgrade)
    assert "ExecReload=/bin/kill -HUP $MAINPID" in (DEPLOY / "credence.service").read_text("utf-8")
    for node in two_nodes.nodes:
        before = children(node.pid)
        node.send_signal(signal.SIGHUP)
        until(lambda n=node, b=before: (c := children(n.pid)) and not c & b, seconds=90, what="no fresh workers")
    assert failed == []
    kill(two_nodes.nodes[0])
    until(lambda: not accepts(two_nodes.ports[0]), seconds=20, what="its workers live on")
    assert [token(two_nodes).status_code for _ in range(4)] == [200] * 4
    enough.set()
    asking.join(20)
    assert len(failed) <= 1, "more than the one request that the dead node had in hand"


def test_R_19_a_node_ends_when_its_clock_is_off_and_did_not_listen_before_it_was_right(two_nodes: Site) -> None:
    """The proxy asks another then, as after a death; a POST too, which it would not repeat after a 503."""
    assert "nothing is served" in two_nodes.log("credence.service", 1).read_text("utf-8")
    assert "nothing is served" not in two_nodes.log("credence.service", 0).read_text("utf-8")
    assert "\nRestart=always\n" in (DEPLOY / "credence.service").read_text("utf-8")
    two_nodes.clock(1).write_text("3600", "utf-8")
    assert two_nodes.nodes[1].wait(60) == 0
    assert not accepts(two_nodes.ports[1])


def kill(service: "subprocess.Popen[bytes]") -> None:
    """It and its workers, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(service.pid, signal.SIGKILL)
    service.wait(10)


def children(pid: int) -> set[str]:
    """Its processes, of this moment."""
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def token(site: Site) -> httpx2.Response:
    secret = (site.folder / "var/secrets/harbor-analytics.secret").read_text("utf-8").strip()
    return httpx2.post(
        f"{site.issuer}/oauth/token", data={"grant_type": "client_credentials"}, auth=("harbor-analytics", secret),
        verify=site.trusting(), timeout=20, trust_env=False,
    )  # fmt: skip
