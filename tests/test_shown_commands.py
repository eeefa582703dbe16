"""Every command that the README and the pages of docs show is run, in the order in which an operator would meet it, on one
installation with the demo's portals and rosters."""

import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from idp.cli import idp
from idp.settings import PROJECT, Settings
from tests.conftest import Hands
from tests.factories import Make
from tests.provisioning.files import NO_ACCESS, row, table

DEMO = PROJECT / "clients" / "demo"
MANIFESTS = PROJECT / "clients" / "manifests"
ELSEWHERE = ("idp serve",)
"""Started as its unit starts it by tests/test_operations.py."""

SHOWN = re.compile(r"`(idp [a-z][^`]*)`|^(?:\.venv/bin/)?(idp [a-z].*)$", re.MULTILINE)


def shown() -> list[tuple[str, str]]:
    """Every command of ours that a page shows, and the page."""
    pages = [PROJECT / "README.md", PROJECT / "keys" / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
    return [
        (page.name, (inline or line).partition("#")[0].strip())
        for page in pages
        for inline, line in SHOWN.findall(page.read_text("utf-8"))
    ]


def test_every_command_that_a_page_shows_exists_with_its_options() -> None:
    wrong = [f"{page}: {command}: {fault}" for page, command in shown() if (fault := _fault(command))]
    assert wrong == []


def _fault(shown: str) -> str | None:
    words = shlex.split(re.sub(r"[\[\]…]|\|\S+", " ", shown))[1:]
    command: click.Command = idp
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return f"no command {words[0]}"
        command, words = found, words[1:]
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"--help", "-h"}
    return next(
        (f"no option {word}" for word in words if word.startswith("--") and word.split("=")[0] not in known), None
    )


BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
MACHINE_S = re.compile(r"`((?:nft|sysctl|rsync|chronyc|pg_restore|runuser|make|pip|sha256sum|python -m bench)\b[^`]*)`")
RUN_BY = {
    "docs/operations.md": "tests/test_operations.py",
    "docs/connect-your-portal.md": "tests/demo/test_running.py",
}
"""Pages with blocks for a shell, and the tests that run them."""
A_MACHINE_S = {
    "nft": "its firewall; the tests' network is loopback",
    "sysctl": "its kernel",
    "rsync": "needs a second machine; tests/faults/test_nodes.py has both nodes read one folder",
    "runuser -u credence -- bash": "its users; what is typed in that shell is run above",
    "sha256sum": "coreutils; the digest itself is held by tests/consent",
}
"""Programs of the machine that no test may turn, and why."""
RUN = {
    "runuser -u postgres -- pg_restore": "tests/faults/test_restore.py",
    "make": "Makefile",
    "python -m bench": "tests/test_bench_parts.py",
}
"""What else a page shows, and where it is run or made."""


def test_every_other_command_that_a_page_shows_is_run_or_is_the_machine_s() -> None:
    pages = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
    texts = {str(page.relative_to(PROJECT)): page.read_text("utf-8") for page in pages}
    with_blocks = {name for name, text in texts.items() if BLOCKS.search(text)}
    assert with_blocks == RUN_BY.keys()
    assert all((PROJECT / test).is_file() for test in (*RUN_BY.values(), *RUN.values()))
    for name, command in ((name, command) for name, text in texts.items() for command in MACHINE_S.findall(text)):
        assert command.startswith((*A_MACHINE_S, *RUN)), f"{name}: {command}"
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    made = {target for text in texts.values() for target in re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z]+)", text)}
    assert made <= targets


@dataclass
class Ground:
    """An installation, and what the commands are given in the place of the pages' words in capitals."""

    folder: Path
    app: Flask
    rosa: str = "rosa.delgado"
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *words: str, given: str | bytes | None = None) -> Result:
        self.ran.append(words)
        return CliRunner().invoke(idp, words, input=given, obj=ScriptInfo(create_app=lambda: self.app))

    def done(self, *words: str, given: str | bytes | None = None) -> Result:
        """The command, which succeeds."""
        ran = self.run(*words, given=given)
        assert ran.exit_code == 0, f"{words}: {ran.output}"
        return ran

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def a_kid(self) -> str:
        """A key that was rotated out."""
        keys = json.loads(self.done("keys", "list", "--json").output)
        return next(key["kid"] for key in keys if key["state"] == "retired")


@pytest.fixture
def ground(
    app: Flask, make: Make, hands: Hands, settings: Settings, folder_of_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ground:  # fmt: skip
    hands.at(datetime.now(UTC))
    environment = {
        "IDP_ISSUER": settings.issuer, "IDP_DATABASE_URL": settings.database_url, "IDP_DATA_DIR": str(tmp_path / "data"),
        "IDP_KEYS_DIR": str(folder_of_keys), "IDP_SMTP_URL": "smtp://127.0.0.1:9", "IDP_SMTP_FROM": "Credence <no-reply@credence.test>",
    }  # fmt: skip
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "data").mkdir()
    return Ground(tmp_path, app)


@pytest.fixture
def folder_of_keys(keys_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(keys_dir, tmp_path / "keys")
    return tmp_path / "keys"


def rosters(ground: Ground) -> None:
    """The invented directory of the demo, and an NPPES row that says nothing wrong."""
    for name, kind in (("providers", "provider-master"), ("trading_partners", "trading-partners")):
        ground.done(
            "directory", "import", str(DEMO / "heartland" / f"{name}.csv"), "--format", kind, "--registry", "heartland"
        )
    listed = (DEMO / "heartland" / "providers.csv").read_text("utf-8")
    ground.done("directory", "import", "-", "--format", "provider-master", "--registry", "heartland", given=listed)


def portals(ground: Ground) -> None:
    """The demo's manifests, at https; a second time nothing changes."""
    folder = Path(shutil.copytree(MANIFESTS, ground.folder / "manifests"))
    for file in folder.glob("*.toml"):
        text = file.read_text("utf-8")
        file.write_text(re.sub(r"http://localhost:(\d+)", r"https://portal-\1.example", text), "utf-8")
    ground.done("relying-parties", "plan", str(folder))
    ground.done("relying-parties", "apply", str(folder), "--yes", "--secrets-out", str(ground.folder))
    assert "0 changed" in ground.done("relying-parties", "apply", str(folder), "--yes").output


def upstream(ground: Ground) -> None:
    """A hospital, its secret, and off again."""
    folder = ground.folder / "connections"
    folder.mkdir()
    text = (PROJECT / "clients/connections/saint-anne.toml").read_text("utf-8")
    (folder / "saint-anne.toml").write_text(
        text.replace("http://localhost:8007", "https://id.saint-anne.example"), "utf-8"
    )
    ground.done("connections", "plan", str(folder))
    ground.done("connections", "apply", str(folder), "--yes")
    assert "saint-anne" in ground.done("connections", "list").output
    ground.done("connections", "secret", "saint-anne", given="a secret of theirs, long enough for anybody\n")
    ground.done("connections", "disable", "saint-anne")


def letters(ground: Ground) -> None:
    listed = ground.file("list.csv", b"provider_id\n048215\n")
    out = ground.folder / "letters"
    ground.done("pin-letters", "issue", "--csv", listed, "--registry", "heartland", "--out", str(out))
    assert len(list(out.glob("*.pdf"))) == 1
    own = str(DEMO / "heartland" / "pin_letters.csv")
    ground.done("directory", "import", own, "--format", "pin-letters", "--registry", "heartland")


def people(ground: Ground) -> None:
    ground.done(
        "people", "create", "--user-id", "mila.ferro", "--email", "mila@ferro.example", "--given-name", "Mila",
        "--family-name", "Ferro", "--password-stdin", given="plovers nest on cold shingle\n",
    )  # fmt: skip
    ground.done(
        "people", "invite", "--email", "first@clinic.example", "--given-name", "Ada", "--family-name", "Moss", "--portal",
        "carebridge-provider", "--provider", "048215", "--level", "administrator", "--reason", "The owner called.",
    )  # fmt: skip
    old = ground.file("people.csv", table(row(**NO_ACCESS, portal="ozark-exchange")))
    ground.done("people", "import", old)


def lost_factors(ground: Ground) -> None:
    ground.done("people", "reset-mfa", ground.rosa, "--reason", "Called from the practice's number.")
    ground.done("people", "reset-mfa", ground.rosa, "--confirm", "--reason", "Showed the letter of enrollment.")


def staff(ground: Ground) -> None:
    ground.done("staff", "grant", ground.rosa, "administrator")
    assert ground.rosa in ground.done("staff", "list").output
    ground.done("staff", "revoke", ground.rosa, "administrator")


def keys(ground: Ground) -> None:
    ground.done("keys", "create")
    for use in ((), ("--use", "push"), ("--use", "saml"), ("--use", "encryption"), ("--use", "vault")):
        ground.done("keys", "rotate", *use)
    ground.done("keys", "reseal")
    ground.done("keys", "retire", ground.a_kid(), "--now")


def who_could(ground: Ground) -> None:
    ground.done("affiliations", "record")
    ran = ground.run("affiliations", "on", "--tin", "-", "--day", "2026-03-02", given="894865921\n")
    assert ran.exit_code in {0, 1}, ran.output


def ground_floor(ground: Ground) -> None:
    for words in (("init",), ("db", "check"), ("db", "upgrade"), ("settings",), ("audit", "verify")):
        ground.done(*words)
    ground.done("db", "backup", str(ground.folder / "copy.sqlite3"))
    ran = ground.run("doctor")
    assert "check IDP_SMTP_URL" in ran.output
    ground.done("agreements", "export", "--portal", "carebridge-provider", "--since", "2026-01-01", "--json")


def looking_after(ground: Ground) -> None:
    ground.done("worker", "--once")
    ground.done("sweep")
    heads = str(ground.folder / "heads.jsonl")
    ground.done("audit", "export", "--heads", heads)
    ground.done("epoch", "bump")
    ground.done("audit", "verify", "--against", heads)


def test_every_command_that_a_page_shows_does_what_it_says(ground: Ground, make: Make) -> None:
    make.totp(make.subject("rosa.delgado"))
    make.subject("june.harwood")
    acts = (
        portals,
        rosters,
        ground_floor,
        upstream,
        letters,
        people,
        lost_factors,
        staff,
        keys,
        who_could,
        looking_after,
    )
    for act in acts:
        act(ground)
    assert [command for _, command in shown() if command not in ELSEWHERE and not _ran(command, ground.ran)] == []


def _ran(command: str, ran: list[tuple[str, ...]]) -> bool:
    """Whether a run was of this command, with all of its options."""
    words = shlex.split(re.sub(r"[\[\]…]|\|\S+", " ", command))[1:]
    path = tuple(
        takewhile(lambda word: word.islower() and word[0] != "-" and "." not in word and "/" not in word, words)
    )
    options = {word for word in words if word.startswith("--")}
    return any(each[: len(path)] == path and options <= set(each) for each in ran)
