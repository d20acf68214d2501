"""Campaigns: posts that belong together, and what their links are tagged with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("tags", postgresql.JSONB(), nullable=False),
        sa.Column("domains", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_campaign_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_campaign")),
    )
    op.execute("ALTER TABLE campaign ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE campaign FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON campaign USING (brand_id = ANY (parvis.seen_brands()))"
        " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON campaign TO parvis_app, parvis_worker")
    op.add_column("post", sa.Column("campaign_id", sa.Uuid(), nullable=True))
    op.add_column("post", sa.Column("tagging", postgresql.JSONB(), nullable=True))
    op.create_foreign_key(
        op.f("fk_post_brand_id_campaign_id"), "post", "campaign", ["brand_id", "campaign_id"], ["brand_id", "id"]
    )
    op.create_index(
        "ix_post_campaign",
        "post",
        ["brand_id", "campaign_id"],
        unique=False,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("posts would lose what they belong to: restore a backup instead")
