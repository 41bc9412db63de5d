"""What early databases hold beside the rest, and nobody writes any more, may be empty.

`0002` made two columns more until 22 November 2026. They stay, so that software of then can go on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NO_LONGER_WRITTEN = ("target_key", "last_received")


def upgrade() -> None:
    """Alters `event_work` where it has them."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("event_work")}
    with op.batch_alter_table("event_work") as table:
        for name in _NO_LONGER_WRITTEN:
            if name in there:
                table.alter_column(name, nullable=True)


def downgrade() -> None:
    """Nothing: what was written since may lack them."""
