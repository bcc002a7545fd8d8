"""Views for Grafana: what dashboards may ask for, version 1. They hold no prompt and no answer.

A later migration that changes a column of theirs keeps these as they are, or adds `grafana_v2_*` beside them. In SQLite
a table that is rebuilt needs them dropped before and made again after.

Moments come twice: as `time` for people, and as `time_us` (whole microseconds, as they are kept) to be filtered by, so
that the index is used.
"""

import re

from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

_POSTGRESQL = {
    "time": "to_timestamp({0} / 1e6)",
    "model": "substring({0} from '^(.*)/[^/]*/[^/]*$')",
    "platform": "substring({0} from '([^/]*)/[^/]*$')",
    "pool": "substring({0} from '([^/]*)$')",
    "json": "({0}::json #>> '{{record,{1}}}')",
    "inner": "({0}::json #>> '{{record,{1},{2}}}')",
    "moment": "({0}::json #>> '{{record,{1}}}')::timestamptz",
    "symptoms": """(
        SELECT string_agg(DISTINCT finding ->> 'symptom', ', ' ORDER BY finding ->> 'symptom')
        FROM json_array_elements({0}::json #> '{{record,findings}}') AS finding
    )""",
}
_PREFIX = "rtrim(rtrim({0}, replace({0}, '/', '')), '/')"  # all before the last slash
_SQLITE = {
    "time": "{0} / 1e6",
    "model": _PREFIX.format(_PREFIX),
    "platform": f"substr({_PREFIX}, length({_PREFIX.format(_PREFIX)}) + 2)",
    "pool": f"substr({{0}}, length({_PREFIX}) + 2)",
    "json": "json_extract({0}, '$.record.{1}')",
    "inner": "json_extract({0}, '$.record.{1}.{2}')",
    "moment": "(julianday(json_extract({0}, '$.record.{1}')) - 2440587.5) * 86400.0",
    "symptoms": """(
        SELECT group_concat(symptom, ', ') FROM (
            SELECT DISTINCT json_extract(value, '$.symptom') AS symptom
            FROM json_each({0}, '$.record.findings') ORDER BY 1
        )
    )""",
}

_VIEWS = {
    "grafana_v1_observations": """
        SELECT {time(o.slot_time)} AS time, o.slot_time AS time_us, o.slot_id, o.probe_id, o.probe_group, o.target,
          {model(o.target)} AS model, {platform(o.target)} AS platform, {pool(o.target)} AS pool, o.region,
          o.duration / 1e6 AS duration_seconds, o.replica, o.tokens, o.purpose, {json(o.failure, kind)} AS failure
        FROM observations AS o
    """,
    "grafana_v1_scores": """
        SELECT {time(o.slot_time)} AS time, o.slot_time AS time_us, o.slot_id, o.probe_id, s.probe_group, s.target,
          {model(s.target)} AS model, {platform(s.target)} AS platform, {pool(s.target)} AS pool, s.region,
          s.signal, c.value, c.event, c.reason AS unscored, c.note, o.replica
        FROM scores AS c JOIN observations AS o ON o.seq = c.seq JOIN series AS s ON s.id = c.series
    """,
    "grafana_v1_alarms": """
        SELECT {time(a.at)} AS time, a.at AS time_us, a.id, a.slot_id, s.probe_group, s.target,
          {model(s.target)} AS model, {platform(s.target)} AS platform, {pool(s.target)} AS pool, s.region,
          s.signal, a.evidence AS evidence_nats
        FROM alarms AS a JOIN series AS s ON s.id = a.series
    """,
    "grafana_v1_incidents": """
        SELECT {time(i.opened_at)} AS opened_at, i.opened_at AS opened_us,
          {time(i.updated_at)} AS updated_at, i.updated_at AS updated_us,
          {moment(i.document, resolved_at)} AS resolved_at, i.id, i.state, i.model, i.platform, i.pool,
          {symptoms(i.document)} AS symptoms, {json(i.document, acknowledged_by)} AS acknowledged_by
        FROM incidents AS i
    """,
    "grafana_v1_changes": """
        SELECT {time(c.at)} AS time, c.at AS time_us, {moment(c.document, finished_at)} AS finished_at, c.id,
          {json(c.document, kind)} AS kind, {json(c.document, summary)} AS summary,
          {json(c.document, author)} AS author, {json(c.document, link)} AS link,
          {inner(c.document, scope, model)} AS scope_model, {inner(c.document, scope, platform)} AS scope_platform,
          {inner(c.document, scope, pool)} AS scope_pool, {inner(c.document, scope, region)} AS scope_region
        FROM changes AS c
    """,
}


def upgrade() -> None:
    spelt = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {_spelt(query, spelt)}")


def downgrade() -> None:
    for name in _VIEWS:
        op.execute(f"DROP VIEW {name}")


def _spelt(query: str, spelt: dict[str, str]) -> str:
    """With each {word(argument, ...)} as this database has it."""

    def word(found: re.Match[str]) -> str:
        name, arguments = found.groups()
        return spelt[name].format(*arguments.split(", "))

    return re.sub(r"\{(\w+)\(([^)]*)\)\}", word, query).replace(":", r"\:")
