"""What a variant says, as a digest, so that the same said twice is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("variant", sa.Column("said", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_variant_said",
        "variant",
        ["brand_id", "channel_id", "said"],
        unique=False,
        postgresql_where=sa.text("said IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_variant_said", "variant")
    op.drop_column("variant", "said")
