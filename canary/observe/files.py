"""Generated files: as text, and onto the disk."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import yaml


def yaml_text(document: object, command: str) -> str:
    """With a head that says what made it."""
    body = yaml.safe_dump(document, sort_keys=False, width=118, allow_unicode=True)
    return f"# Made by `{command}`: change it there, or its inputs.\n{body}"


def json_text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(files: Mapping[PurePosixPath, str], folder: Path) -> list[tuple[Path, bool]]:
    """Each path with whether it changed; folders are made as needed."""
    return [(folder / name, _written(folder / name, text)) for name, text in files.items()]


def _written(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
