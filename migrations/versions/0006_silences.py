"""Silences, and notifications that go out in groups."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "silences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index(op.f("ix_silences_ends_at"), "silences", ["ends_at"])
    op.add_column("outbox", sa.Column("group_key", sa.Text()))
    op.create_index(op.f("ix_outbox_incident_id_receiver"), "outbox", ["incident_id", "receiver"])
    op.create_index(op.f("ix_outbox_receiver_group_key"), "outbox", ["receiver", "group_key"])


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_receiver_group_key"), "outbox")
    op.drop_index(op.f("ix_outbox_incident_id_receiver"), "outbox")
    op.drop_column("outbox", "group_key")
    op.drop_table("silences")
