"""The views for Grafana, and the SQL of its dashboards on them, on real databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from canary.observe.dashboards import dashboards
from canary.records import Change, ChangeKind, Scope, Score, SeriesKey, Unscored, UnscoredReason
from canary.store import open_store
from canary.store.sql.engine import engine_for, parse, reader
from tests.contract.store_values import T0, alarm, failed, incident, observation, score
from tests.postgres import PostgresServer
from tests.unit.observe.shown import filled, queries

SQL = [one for made in dashboards().values() for one in queries(made)]
ROLE = Path(__file__).parents[2] / "deploy" / "grafana" / "read-only.sql"
TARGET = "meta/llama/api/tpu"
SERIES = SeriesKey(TARGET, "eu", "script", "foreign_script")
HOUR = timedelta(hours=1)
SEEN = {
    "model": "meta/llama",
    "platform": "api",
    "pool": "tpu",
    "region": "eu",
    "signal": "foreign_script",
    "__from": f"{(T0 - HOUR).timestamp() * 1000:.0f}",
    "__to": f"{(T0 + HOUR).timestamp() * 1000:.0f}",
}
CHANGE = Change(
    "c1", ChangeKind.DEPLOY, T0, "engine 2", Scope("meta/*", "api", None, None), "https://ci/1", "ann", None
)


def fill(url: str) -> None:
    """An answer that is well, one with an event, one that failed; an alarm, an incident, a change."""
    store = open_store(url, create=True)
    well, event = (observation(n, target=TARGET) for n in (0, 1))
    unscored = Unscored("foreign_script", 4, UnscoredReason.FAILED)
    with store.transaction() as tx:
        tx.add_observations([well, event, failed(2, target=TARGET)])
        tx.add_scores(
            [
                score(well, SERIES),
                score(event, SERIES, event=True, score=Score("foreign_script", 4, 9.0, 17.0, "line 7")),
                score(failed(2, target=TARGET), SERIES, event=None, detector=None, log_budget=None, score=unscored),
            ]
        )
        tx.add_alarms([alarm(1, series=SERIES)])
        tx.put_incident(incident(model="meta/llama", platform="api", pool="*"))
        tx.add_change(CHANGE)
    store.close()


@pytest.fixture(scope="module")
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    fill(url)
    yield url
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY canary_grafana")
        connection.execute("DROP ROLE canary_grafana")


@pytest.fixture(scope="module")
def granted(postgres_url: str) -> str:
    """The same database, as the role that Grafana has."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(ROLE.read_text("utf-8"))
    return postgres_url.replace("postgres@", "canary_grafana@")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    made = f"sqlite:///{tmp_path_factory.mktemp('views')}/canary.db"
    fill(made)
    return made


def rows(url: str, query: str) -> list[dict[str, Any]]:
    engine = engine_for(parse(url))
    with reader(engine) as connection:
        found = [dict(row._mapping) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.postgres
@pytest.mark.parametrize(("where", "query"), SQL, ids=[where for where, _ in SQL])
def test_a_query_of_a_dashboard_finds_what_is_there_as_the_role_that_grafana_has(
    granted: str, where: str, query: str
) -> None:
    assert len(asked(granted, filled(query, SEEN))) > 0


@pytest.mark.postgres
@pytest.mark.parametrize(("where", "query"), SQL, ids=[where for where, _ in SQL])
def test_a_query_of_a_dashboard_finds_nothing_of_another_target_or_time(granted: str, where: str, query: str) -> None:
    other = {**SEEN, "model": "it's another", "platform": "p", "pool": "x"} if "${model" in query else SEEN
    past = {**SEEN, "__from": "0", "__to": "1000"}
    assert (asked(granted, filled(query, other)) if other is not SEEN else []) == []
    assert asked(granted, filled(query, past)) == []


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["answers", "observations", "incidents", "outbox", "baselines", "facts"])
def test_the_role_reads_no_table(granted: str, table: str) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        asked(granted, f"SELECT * FROM {table}")  # noqa: S608


@pytest.mark.postgres
def test_the_role_writes_nothing(granted: str) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asked(granted, "CREATE TABLE mine (n int)")


@pytest.mark.postgres
def test_a_span_of_time_is_found_by_the_index(postgres_url: str) -> None:
    import psycopg

    query = filled(next(query for where, query in SQL if where == "canary-target panel 12"), SEEN)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = str(connection.execute(f"EXPLAIN {query}").fetchall())
    assert "ix_observations_target_slot_time" in plan


def test_a_model_with_slashes_is_told_from_platform_and_pool(url: str) -> None:
    for view in ("observations", "scores", "alarms"):
        found = rows(url, f"SELECT DISTINCT model, platform, pool FROM grafana_v1_{view}")  # noqa: S608
        assert found == [{"model": "meta/llama", "platform": "api", "pool": "tpu"}]


def test_both_databases_tell_the_same_of_a_failure(url: str) -> None:
    query = "SELECT slot_id, failure, time_us FROM grafana_v1_observations WHERE failure IS NOT NULL"
    at = round((T0 + timedelta(minutes=2)).timestamp() * 1e6)
    assert rows(url, query) == [{"slot_id": "slot000002", "failure": "throttled", "time_us": at}]


def test_both_databases_tell_the_same_of_scores(url: str) -> None:
    query = "SELECT value, unscored, note FROM grafana_v1_scores ORDER BY time_us"
    assert [(row["unscored"], row["note"]) for row in rows(url, query)] == [
        (None, "line 3"),
        (None, "line 7"),
        ("failed", None),
    ]


def test_both_databases_tell_the_same_of_incidents_and_changes(url: str) -> None:
    (found,) = rows(url, "SELECT state, pool, symptoms, acknowledged_by, resolved_at FROM grafana_v1_incidents")
    assert found == {
        "state": "open",
        "pool": "*",
        "symptoms": "corruption",
        "acknowledged_by": "ann",
        "resolved_at": None,
    }
    (change,) = rows(url, "SELECT kind, summary, author, link, scope_model, scope_pool FROM grafana_v1_changes")
    assert change == {
        "kind": "deploy",
        "summary": "engine 2",
        "author": "ann",
        "link": "https://ci/1",
        "scope_model": "meta/*",
        "scope_pool": None,
    }


def test_no_view_shows_an_answer(url: str) -> None:
    for view in ("observations", "scores", "alarms", "incidents", "changes"):
        assert "ordinary" not in str(rows(url, f"SELECT * FROM grafana_v1_{view}"))  # noqa: S608
