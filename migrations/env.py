"""Runs the migrations: on the connection of `canary db`, or on CANARY_STORE_URL (else alembic.ini) for a developer."""

import os

from alembic import context
from sqlalchemy import Connection

from canary.store.sql.engine import engine_for, parse, writer
from canary.store.sql.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    url = os.environ.get("CANARY_STORE_URL") or context.config.get_main_option("sqlalchemy.url") or ""
    with writer(engine_for(parse(url))) as own:
        _run(own)
