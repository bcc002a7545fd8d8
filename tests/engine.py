"""The real inference engine, as a server on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CANARY_ENGINE_DIR", Path(__file__).parents[2] / "shared" / "engine"))
LONG_CONTEXT = ("--rope", "yarn", "--rope-scale", "32", "--orig-ctx", "256", "--ctx-per-slot", "1024")
"""As if the server were set up for a long context."""


def require_engine() -> None:
    """Skip, loudly, where there is no engine."""
    if not (FOLDER / "serve.py").exists():
        pytest.skip(f"NOT RUN: no engine in {FOLDER}; set CANARY_ENGINE_DIR")
    pytest.importorskip("xllamacpp", reason="NOT RUN: needs the package xllamacpp (dependency group `engine`)")


@contextmanager
def engine(*flags: str, port: int = 0) -> Iterator[str]:
    """Serve the model while the block runs; gives the base URL."""
    require_engine()
    model = FOLDER / "poly2m-f16.gguf"
    words = ("--model", str(model), "--port", str(port), "--threads", "1", "--slots", "4", *flags)
    command = [sys.executable, str(FOLDER / "serve.py"), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        listening = next(line for line in process.stdout if line.startswith("LISTENING"))
        try:
            yield listening.split()[1]
        finally:
            process.terminate()
