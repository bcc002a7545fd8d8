import doctest
import pkgutil
from importlib import import_module

import pytest

import canary.score

MODULES = ["canary.score", *(f"canary.score.{module.name}" for module in pkgutil.iter_modules(canary.score.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_the_docs_holds(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
