"""Changing the schema. Each change is one transaction of the only writer: all of it, or nothing."""

from collections.abc import Callable

from alembic import command
from alembic.config import Config

from canary.resources import data_folder
from canary.store.sql.engine import engine_for, parse, writer
from canary.store.sql.revision import revision


def current(url: str) -> str | None:
    """The revision of the database at `url`; None when it has no tables of ours."""
    engine = engine_for(parse(url))
    try:
        return revision(engine)
    finally:
        engine.dispose()


def upgrade(url: str, target: str = "head") -> None:
    """Bring the tables to `target`; nothing happens where they are there already."""
    _change(url, command.upgrade, target)


def downgrade(url: str, target: str) -> None:
    """Bring the tables back to `target` ("base": none), with the loss of what does not fit in there."""
    _change(url, command.downgrade, target)


def _change(url: str, change: Callable[[Config, str], None], target: str) -> None:
    engine = engine_for(parse(url))
    try:
        with writer(engine) as connection:
            config = Config()
            config.set_main_option("script_location", str(data_folder("migrations")).replace("%", "%%"))
            config.attributes["connection"] = connection
            change(config, target)
    finally:
        engine.dispose()
