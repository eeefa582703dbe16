"""Reads a folder of manifests; knows nothing of what they may say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from idp.manifests.rules import Source, Violation

MAX_MANIFEST: Final = 256 * 1024


def read_folder(
    directory: Path,
    *,
    base_urls: Mapping[str, str] | None = None,
    jwks: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[tuple[Source, ...], tuple[Violation, ...]]:
    """Every `<client_id>.toml` with the texts in `<client_id>/` beside it, and what could not be read."""
    if not directory.is_dir():
        return (), (Violation(directory.name, 1, "", "is not a folder"),)
    sources: list[Source] = []
    wrong: list[Violation] = []
    files = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    named = {path.stem for path in files if path.suffix == ".toml"}
    for path in files:
        if path.is_dir():
            if path.name not in named:
                wrong.append(Violation(f"{path.name}/", 1, "", "has no manifest of its name beside it"))
            continue
        if path.suffix != ".toml":
            continue
        text = _text(path, path.name, wrong)
        if text is not None:
            beside = _beside(directory / path.stem, wrong)
            source = Source(
                client_id=path.stem,
                file=path.name,
                text=text,
                texts=beside,
                base_url=(base_urls or {}).get(path.stem),
                jwks=(jwks or {}).get(path.stem),
            )
            sources.append(source)
    if not named:
        wrong.append(Violation(directory.name, 1, "", "holds no manifest"))
    return tuple(sources), tuple(wrong)


def _beside(folder: Path, wrong: list[Violation]) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    texts = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        text = _text(path, f"{folder.name}/{path.name}", wrong)
        if text is not None:
            texts[path.name] = text
    return texts


def _text(path: Path, name: str, wrong: list[Violation]) -> str | None:
    if path.is_symlink() or not path.is_file():
        wrong.append(Violation(name, 1, "", "is not a plain file"))
        return None
    content = path.read_bytes()
    if len(content) > MAX_MANIFEST:
        wrong.append(Violation(name, 1, "", f"is larger than {MAX_MANIFEST // 1024} KB"))
        return None
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong.append(Violation(name, line, "", "is not UTF-8"))
        return None
