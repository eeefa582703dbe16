"""Real servers on free loopback ports: Debian's PostgreSQL and Redis, as long as a test needs them."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

OWNER, APP = "credence_owner", "credence_app"


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> int:
    """The first of `count` free neighbours, below the ports that the system lends to others.

    Drawn, since two processes of one test run must not pick the same.
    """
    for _ in range(200):
        base = random.SystemRandom().randrange(20_000, 32_000, 10)
        if all(_is_free(port) for port in range(base, base + count)):
            return base
    raise AssertionError(f"no {count} free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def binary(name: str) -> str | None:
    """Where Debian keeps a server's program; newest PostgreSQL first."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((str(home / name) for home in homes if (home / name).is_file()), shutil.which(name))


def until(condition: Any, *, seconds: float = 20.0, what: str) -> None:
    """Wait until something outside this process is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("no unprivileged user to run PostgreSQL as")


class Postgres:
    """One cluster in a temporary folder, or in `folder`; `start` and `stop` as often as wanted, `remove` at the end."""

    def __init__(self, *, durable: bool = False, folder: Path | None = None) -> None:
        self.port = free_port()
        self._folder = folder or Path(tempfile.mkdtemp(prefix="credence-pg-"))
        self._folder.mkdir(exist_ok=True)
        self._identity = _unprivileged()
        if self._identity:
            os.chown(self._folder, self._identity["user"], self._identity["group"])
        self._durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        if (self._folder / "data").is_dir():
            return
        self._run(["initdb", "-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                   "--locale=C.UTF-8", "--no-sync"])  # fmt: skip

    def _run(self, command: list[str]) -> None:
        program = binary(command[0])
        assert program is not None
        subprocess.run([program, *command[1:]], check=True, capture_output=True, cwd=self._folder, **self._identity)

    def start(self) -> "Postgres":
        """Start, and wait until it answers."""
        program = binary("postgres")
        assert program is not None
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "60"}
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [program, "-D", str(self._folder / "data"), "-p", str(self.port), *arguments],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._identity,
        )  # fmt: skip
        until(self._answers, what="PostgreSQL does not start")
        return self

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres"), connect_timeout=1):
            return True
        return False

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown, or `SIGQUIT` for a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, role: str = APP, database: str = "postgres") -> str:
        """Address for psycopg and for `IDP_DATABASE_URL`."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """A database of the owner's; the application's role may only connect."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for role in (OWNER, APP):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                    connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0")
        with psycopg.connect(self.url("postgres", name), autocommit=True) as connection:
            connection.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")


class RedisServer:
    """One Redis without persistence; refuses writes when full (`noeviction`), as production's must."""

    def __init__(self, *, maxmemory: str = "64mb") -> None:
        self.port = free_port()
        self._maxmemory = maxmemory
        self._folder = Path(tempfile.mkdtemp(prefix="credence-redis-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        """Start, and wait until it listens."""
        program = binary("redis-server")
        assert program is not None
        self.process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", str(self._folder), "--maxmemory", self._maxmemory, "--maxmemory-policy", "noeviction"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: accepts(self.port), what="Redis does not start")
        return self

    def freeze(self) -> None:
        """Alive, but silent."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
