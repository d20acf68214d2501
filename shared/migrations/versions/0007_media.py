"""Media that were uploaded, and what names them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TABLES = ("media", "media_use")


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("alts", postgresql.JSONB(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_media_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_media")),
    )
    op.create_index(
        "uq_media_fingerprint",
        "media",
        ["brand_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "ix_media_removed",
        "media",
        ["brand_id", "removed_at"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )
    op.create_table(
        "media_use",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("outgoing_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "post_id"], ["post.brand_id", "post.id"], name=op.f("fk_media_use_brand_id_post_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "outgoing_id"],
            ["outgoing.brand_id", "outgoing.id"],
            name=op.f("fk_media_use_brand_id_outgoing_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "media_id"], ["media.brand_id", "media.id"], name=op.f("fk_media_use_brand_id_media_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "thing_id", "media_id", name=op.f("pk_media_use")),
    )
    op.create_index("ix_media_use_media", "media_use", ["brand_id", "media_id"], unique=False)
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (brand_id = ANY (parvis.seen_brands()))"
            " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
