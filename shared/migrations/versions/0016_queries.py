"""Queries that listen, their versions, and what they matched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _said() -> list[sa.Column[str]]:
    return [
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("group", sa.String(length=32), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "saved_query",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *_said(),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("is_broad", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_saved_query_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_saved_query")),
    )
    op.create_table(
        "saved_query_version",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_said(),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("saved_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "query_id"],
            ["saved_query.brand_id", "saved_query.id"],
            name=op.f("fk_saved_query_version_brand_id_query_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_saved_query_version")),
        sa.UniqueConstraint(
            "brand_id", "query_id", "version", name=op.f("uq_saved_query_version_brand_id_query_id_version")
        ),
    )
    op.create_table(
        "match",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("mention_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spans", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "query_id"],
            ["saved_query.brand_id", "saved_query.id"],
            name=op.f("fk_match_brand_id_query_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "mention_id"], ["mention.brand_id", "mention.id"], name=op.f("fk_match_brand_id_mention_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "query_id", "mention_id", name=op.f("pk_match")),
    )
    op.create_index("ix_match_mention", "match", ["brand_id", "mention_id"], unique=False)
    op.alter_column("operation", "channel_id", nullable=True)
    op.add_column("operation", sa.Column("query_id", sa.Uuid(), nullable=True))
    for name in ("mentions", "matches"):
        op.add_column("operation", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for table in ("saved_query", "saved_query_version", "match"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (brand_id = ANY (parvis.seen_brands()))"
            " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")


def downgrade() -> None:
    raise RuntimeError("the queries would be lost: restore a backup instead")
