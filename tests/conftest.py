import pytest
from hypothesis import settings

pytest_plugins = ["tests.postgres"]

settings.register_profile("canary", deadline=None)  # timings live in tests/bench
settings.load_profile("canary")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
