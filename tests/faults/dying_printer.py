"""Prints a PIN letter and is killed at one moment of it.

Run as `python dying_printer.py SETTINGS_AS_JSON MOMENT FOLDER PROVIDER_ID`; `written`: the files are, and nothing is issued;
`issued`: it is committed, and the files have no names; `half-named`: one of the two has.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from idp import create_app
from idp.affiliations.letters import files
from idp.affiliations.letters.cli import pin_letters
from idp.directory.letters import service as letters
from idp.settings import Settings


def die(*_args: Any, **_named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def name_one(self: files.Files) -> None:
    first = self.paths[0]
    os.link(first.with_name(f"{first.name}.part"), first)
    die()


def main() -> None:
    settings, moment, folder, provider = Settings(**json.loads(sys.argv[1])), *sys.argv[2:5]
    if moment == "written":
        letters.issue = die
    else:
        files.Files.name = die if moment == "issued" else name_one  # type: ignore[method-assign]
    with create_app(settings).app_context():
        pin_letters.main(["issue", "--provider", provider, "--out", str(Path(folder))], standalone_mode=False)


if __name__ == "__main__":
    main()
