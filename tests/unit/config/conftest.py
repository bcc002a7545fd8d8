from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from canary.config import Config, load
from canary.errors import CanaryError

PROBE = """\
id: {id}
family: {family}
why: It exists so that the tests of the config have a probe.
messages: [{{role: user, content: Describe glass.}}]
sampling: {{max_tokens: 100}}
scorers: [script]
"""

Loading = Callable[..., Config]
Failing = Callable[..., list[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two families of probes."""
    (tmp_path / "probes").mkdir()
    for family, name in (("prose", "prose-a"), ("prose", "prose-b"), ("code", "code-a")):
        (tmp_path / "probes" / f"{name}.yaml").write_text(PROBE.format(id=name, family=family))
    return tmp_path


@pytest.fixture
def loading(home: Path) -> Loading:
    """Loads a config of this text."""

    def loads(text: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
        raw = text if isinstance(text, bytes) else text.encode()
        path = home / "canary.yaml"
        path.write_bytes(raw)
        return load(path, environ or {})

    return loads


@pytest.fixture
def failing(loading: Loading, home: Path) -> Failing:
    """The lines of the error that a config of this text gives, less the folder."""

    def fails(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(CanaryError) as caught:
            loading(text, environ)
        return str(caught.value).replace(f"{home}/", "").split("\n")

    return fails
