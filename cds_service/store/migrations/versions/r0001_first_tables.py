"""The first tables: tokens seen, evaluations, cards, results carded, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "tokens_seen",
        *_texts("issuer", "jti_sha256"),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti_sha256", name="pk_tokens_seen"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tokens_seen_expires", "tokens_seen", ["expires"])

    op.create_table(
        "evaluations",
        sa.Column("number", _NUMBER, nullable=False),
        *_texts("id"),
        sa.Column("at", _INSTANT, nullable=False),
        *_texts("door", "service", "client", "hook_instance", "knowledge", "software"),
        *_texts("outcomes", "findings", "reasons", "missing"),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("error"),
        sa.Column("duration_ms", sa.Float, nullable=False),
        *_texts("patient", "inputs", "cards"),
        sa.PrimaryKeyConstraint("number", name="pk_evaluations"),
    )
    op.create_index("ix_evaluations_id", "evaluations", ["id"])

    op.create_table(
        "cards",
        *_texts("client", "service", "uuid"),
        *_texts("findings", "suggestions", "override_reasons", "results"),
        sa.Column("first_sent", _INSTANT, nullable=False),
        sa.Column("last_sent", _INSTANT, nullable=False),
        sa.Column("times_sent", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("client", "service", "uuid", name="pk_cards"),
    )

    op.create_table(
        "carded_results",
        *_texts("client", "patient", "result"),
        sa.Column("first_sent", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("client", "patient", "result", name="pk_carded_results"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "feedback",
        sa.Column("number", _NUMBER, nullable=False),
        *_texts("identity"),
        sa.Column("received", _INSTANT, nullable=False),
        *_texts("client", "service", "card"),
        sa.Column("matched", sa.Boolean, nullable=False),
        *_texts("outcome"),
        sa.Column("at", _INSTANT, nullable=False),
        *_texts("suggestions", "reason", "comment_key"),
        sa.Column("comment", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_feedback"),
        sa.UniqueConstraint("identity", name="uq_feedback_identity"),
    )
    op.create_index("ix_feedback_card", "feedback", ["card"])


def downgrade() -> None:
    """Drops every table, and with them all that was stored."""
    for table in ("feedback", "carded_results", "cards", "evaluations", "tokens_seen"):
        op.drop_table(table)
