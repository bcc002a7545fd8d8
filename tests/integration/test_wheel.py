"""The wheel holds all that the program needs, and works where there is no checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CANARY"))}
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, env=clean, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what it depends on is borrowed from this one."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    borrowed = Path(sysconfig.get_path("purelib"))
    (site / "borrowed.pth").write_text(
        f"{borrowed}\n", encoding="utf-8"
    )  # a plain path: its own .pth files are not read
    uv = Path(sys.executable).with_name("uv")
    python = home / "bin" / "python"
    installed = run(str(uv), "pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel), cwd=home)
    assert installed.returncode == 0, installed.stderr
    return home / "bin"


@pytest.mark.parametrize(
    "name",
    [
        "canary/_data/probes/README.md",
        "canary/_data/probes/prose/prose-glass.yaml",
        "canary/_data/migrations/env.py",
        "canary/config/_starter/canary.yaml",
        "canary/config/_starter/my-probes/tides.yaml",
        "canary/lab/texts/prose.txt",
        "canary/drill/_scenarios/corruption.yaml",
        "canary/web/style.css",
        "canary/py.typed",
    ],
)
def test_it_holds(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_it_holds_every_probe_and_migration_of_the_checkout(wheel: Path) -> None:
    folders = ("probes", "migrations")
    there = {f"canary/_data/{path.relative_to(ROOT)}" for folder in folders for path in _data(ROOT / folder)}
    assert there <= set(zipfile.ZipFile(wheel).namelist())


def test_it_holds_no_tests(wheel: Path) -> None:
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("tests/")]


def test_it_is_what_runs(bin_folder: Path, tmp_path: Path) -> None:
    where = run(str(bin_folder / "python"), "-c", "import canary; print(canary.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(bin_folder.parent)


def test_it_works_outside_the_checkout(bin_folder: Path, tmp_path: Path) -> None:
    canary = str(bin_folder / "canary")
    words = ("--version", "init .", "check", "probe list", "db upgrade", "status", "config schema")
    results = [run(canary, *word.split(), cwd=tmp_path) for word in words]
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * len(words)


def _data(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.suffix in {".yaml", ".md", ".py", ".mako"})
