"""How many a mention reaches: its author's followers as told with it, and what follows from that and its views."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identity", sa.Column("followers", sa.Integer(), nullable=True))
    op.add_column("mention", sa.Column("followers", sa.Integer(), nullable=True))
    # Virtual: worked out when it is read, so that no row of a large table is written for it.
    op.execute("ALTER TABLE mention ADD COLUMN reach integer GENERATED ALWAYS AS (COALESCE(views, followers)) VIRTUAL")


def downgrade() -> None:
    op.drop_column("mention", "reach")
    op.drop_column("mention", "followers")
    op.drop_column("identity", "followers")
