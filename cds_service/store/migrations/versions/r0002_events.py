"""Events: work to do, what was evaluated, subscriptions, gaps in their numbers, searches made."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _INSTANT, nullable=False) for name in names]


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "event_work",
        sa.Column("number", _NUMBER, nullable=False),
        *_texts("source", "item", "kind"),
        sa.Column("target", sa.LargeBinary, nullable=False),
        *_texts("way"),
        *_whole("revision", "attempts", "leases_lost"),
        sa.Column("dead", sa.Boolean, nullable=False),
        *_texts("cause"),
        *_instants("first_received", "due"),
        *_texts("lease"),
        sa.PrimaryKeyConstraint("number", name="pk_event_work"),
        sa.UniqueConstraint("source", "item", name="uq_event_work_source"),
    )
    op.create_index("ix_event_work_due", "event_work", ["due"])

    op.create_table(
        "event_evaluations",
        *_texts("source", "item", "version", "knowledge", "evaluation"),
        sa.Column("said", sa.Boolean, nullable=False),
        *_texts("way", "replaces"),
        *_whole("number"),
        *_instants("at"),
        sa.PrimaryKeyConstraint(
            "source", "item", "version", "knowledge", name="pk_event_evaluations"
        ),
    )

    op.create_table(
        "event_subscriptions",
        *_texts("source", "subscription", "criteria", "status"),
        *_whole("heartbeat_seconds"),
        sa.Column("next_number", sa.BigInteger, nullable=False),
        *_instants("last_heard"),
        sa.PrimaryKeyConstraint("source", "subscription", name="pk_event_subscriptions"),
    )

    op.create_table(
        "event_gaps",
        *_texts("source", "subscription"),
        sa.Column("number", sa.BigInteger, nullable=False),
        *_instants("due"),
        sa.PrimaryKeyConstraint("source", "subscription", "number", name="pk_event_gaps"),
    )

    op.create_table(
        "event_sweeps",
        *_texts("source"),
        *_instants("swept_until"),
        sa.PrimaryKeyConstraint("source", name="pk_event_sweeps"),
    )


def downgrade() -> None:
    """Drops the tables, and with them events that wait to be processed."""
    for table in (
        "event_sweeps",
        "event_gaps",
        "event_subscriptions",
        "event_evaluations",
        "event_work",
    ):
        op.drop_table(table)
