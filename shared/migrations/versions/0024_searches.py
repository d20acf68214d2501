"""Recalls over networks: what is recalled over, and a search of each network host below it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_UNFINISHED = "status IN ('pending', 'running')"


def upgrade() -> None:
    op.add_column("operation", sa.Column("over", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("operation", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.add_column("operation", sa.Column("asked", postgresql.JSONB(), nullable=True))
    op.create_index(
        "ix_operation_parent",
        "operation",
        ["brand_id", "parent_id"],
        unique=False,
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    _unfinished(f"{_UNFINISHED} AND kind <> 'search'")


def downgrade() -> None:
    _unfinished(_UNFINISHED)
    op.drop_index("ix_operation_parent", "operation")
    for name in ("asked", "parent_id", "over"):
        op.drop_column("operation", name)


def _unfinished(where: str) -> None:
    op.drop_index("uq_operation_unfinished", "operation")
    op.create_index(
        "uq_operation_unfinished",
        "operation",
        ["brand_id", "channel_id", "kind"],
        unique=True,
        postgresql_where=sa.text(where),
    )
