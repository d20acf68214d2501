"""The deep tier: what it says of a mention beside the fast one, and the mentions that wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SEEN = "brand_id = ANY (parvis.seen_brands())"
_COLUMNS = ("deep_by", "fast_sentiment", "fast_score")


def upgrade() -> None:
    # Null in every row that is there: PostgreSQL writes none of them anew.
    op.add_column("mention", sa.Column("deep_by", sa.Text(), nullable=True))
    op.add_column("mention", sa.Column("fast_sentiment", sa.String(32), nullable=True))
    op.add_column("mention", sa.Column("fast_score", sa.Float(), nullable=True))
    op.create_table(
        "deepening",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("mention_key", sa.Uuid(), nullable=False),
        sa.Column("queued_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "mention_key", name=op.f("pk_deepening")),
    )
    op.create_index("ix_deepening_queued_at", "deepening", ["brand_id", "queued_at"], unique=False)
    op.create_table(
        "due_deepening",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_due_deepening")),
    )
    op.create_index("ix_due_deepening_due_at", "due_deepening", ["due_at"], unique=False)
    for table in ("deepening", "due_deepening"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} TO parvis_app USING ({_SEEN})")
        op.execute(f"CREATE POLICY claims ON {table} TO parvis_worker USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")


def downgrade() -> None:
    for table in ("due_deepening", "deepening"):
        op.drop_table(table)
    for name in reversed(_COLUMNS):
        op.drop_column("mention", name)
