import pytest

pytest_plugins = ["tests.postgres"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
