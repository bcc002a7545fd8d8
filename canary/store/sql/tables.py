"""The tables. Moments and durations are whole microseconds, so that both databases keep them exactly."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

HEAD = "0007"
"""The revision that these tables are."""

Big = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER is a row id there

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

observations = Table(
    "observations",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),  # the order of commits
    Column("slot_id", Text, nullable=False, unique=True),
    Column("probe_id", Text, nullable=False),
    Column("probe_digest", Text, nullable=False),
    Column("probe_group", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("slot_time", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("duration", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("salt", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("affinity", Text, nullable=False),
    Column("replica", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("failure", Text),
    Index(None, "slot_time"),
    Index(None, "target", "slot_time"),
)

answers = Table(
    "answers",
    metadata,
    Column("seq", Big, ForeignKey("observations.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("slot_time", BigInteger, nullable=False),
    Column("kept", Text, nullable=False),  # why past its time: "" not judged yet, EVIDENCE, or a recording's id
    Column("body", LargeBinary, nullable=False),
    Index(None, "kept", "slot_time"),
)

series = Table(
    "series",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),  # derived from the other columns
    Column("target", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("probe_group", Text, nullable=False),
    Column("signal", Text, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, ForeignKey("observations.seq", ondelete="CASCADE"), nullable=False),
    Column("series", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", Double),
    Column("exposure", Double),
    Column("note", Text),
    Column("reason", Text),
    Column("detector", Text),
    Column("log_budget", Double),
    Column("event", Boolean),
    CheckConstraint("(value IS NULL) <> (reason IS NULL)", name="value_or_reason"),
    Index(None, "seq"),
    Index(None, "series", "seq"),
)

detectors = Table(
    "detectors",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("parameters", Text, nullable=False),
)

detector_states = Table(
    "detector_states",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("detector", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("evidence", Double, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("slot_time", BigInteger),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("series", BigInteger, nullable=False),
    Column("slot_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("evidence", Double, nullable=False),
    Column("detector", Text, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("model", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("incident_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_until", BigInteger),
    Column("delivered_at", BigInteger, index=True),
    Column("reason", Text),  # of the last failed attempt
    Column("group_key", Text),
    Index(None, "incident_id", "receiver"),
    Index(None, "receiver", "group_key"),
)

silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ends_at", BigInteger, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)

baselines = Table(
    "baselines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index(None, "target", "epoch"),
)

refs = Table(
    "refs",
    metadata,
    Column("target", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("probe_digest", Text, primary_key=True),
    Column("salt", Integer, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

audit = Table(  # triggers refuse to change or delete a row
    "audit",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
