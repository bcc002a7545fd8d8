"""What `canary init` writes: a config that explains itself, and one probe."""

from importlib.resources import files
from pathlib import Path

from canary.errors import ConfigError

_FILES = ("canary.yaml", "my-probes/tides.yaml")


def write_starter(folder: Path) -> tuple[Path, ...]:
    """The files written. Raises: ConfigError, if one is there already or the folder cannot be written."""
    source = files("canary.config") / "_starter"
    paths = tuple(folder / name for name in _FILES)
    there = [path for path in paths if path.exists()]
    if there:
        raise ConfigError(f"{there[0]} is there already: nothing was written")
    try:
        for name, path in zip(_FILES, paths, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write((source / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from None
    return paths
