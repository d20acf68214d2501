"""What became of a variant on its network: its counters from hour to hour, and the mention that it is there."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "figure",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("counted_at", _TIME, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("likes", "replies", "shares", "views")),
        sa.ForeignKeyConstraint(
            ["brand_id", "variant_id"], ["variant.brand_id", "variant.id"], name=op.f("fk_figure_brand_id_variant_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "variant_id", "hour", name=op.f("pk_figure")),
    )
    op.execute("ALTER TABLE figure ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE figure FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON figure USING (brand_id = ANY (parvis.seen_brands()))"
        " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON figure TO parvis_app, parvis_worker")
    op.create_index(
        "ix_mention_variant",
        "mention",
        ["brand_id", "variant_id"],
        unique=False,
        postgresql_where=sa.text("variant_id IS NOT NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("figures are counted by networks that forget: restore a backup instead")
