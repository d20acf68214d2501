"""Approval: who must agree, what they said of which version, the client's link, reminders; and hold."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CONTENT = ("approval", "hold", "review")
_SEEN = "brand_id = ANY (parvis.seen_brands())"

# Who comes with a link has no key: the token says for which brand, whose rows this transaction then sees. A link that
# has ended is found too, so that the page can say so.
_ENTER = """
CREATE FUNCTION parvis.enter_by_link(digest bytea) RETURNS TABLE (link_id uuid, brand_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE l approval_link;
BEGIN
  SELECT x.* INTO l FROM approval_link x WHERE x.hash = digest;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM parvis.scope(ARRAY[l.brand_id]);
  RETURN QUERY SELECT l.id, l.brand_id;
END $$
"""
_RULES = (
    _ENTER,
    "REVOKE ALL ON FUNCTION parvis.enter_by_link(bytea) FROM public",
    "GRANT EXECUTE ON FUNCTION parvis.enter_by_link(bytea) TO parvis_app",
    "ALTER TABLE approval_link ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON approval_link TO parvis_app USING ({_SEEN})",
    "GRANT SELECT, INSERT, UPDATE (revoked_at, last_seen_at) ON approval_link TO parvis_app",
    "ALTER TABLE due_reminder ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON due_reminder TO parvis_app USING ({_SEEN})",
    "CREATE POLICY claims ON due_reminder TO parvis_worker USING (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON due_reminder TO parvis_app, parvis_worker",
)


def upgrade() -> None:
    for column in (
        sa.Column("approval", sa.String(32), server_default="none", nullable=False),
        sa.Column("client_approval", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("approval_reminder_hours", sa.Integer(), server_default="24", nullable=False),
        sa.Column("approval_last_call_hours", sa.Integer(), server_default="4", nullable=False),
    ):
        op.add_column("brand", column)
        op.alter_column("brand", column.name, server_default=None)
    _review()
    _approval()
    _hold()
    _platform()
    for table in _CONTENT:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_SEEN}) WITH CHECK ({_SEEN})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")
    for rule in _RULES:
        op.execute(rule)


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("since_at", _TIME, nullable=True),
        sa.Column("reminded_at", _TIME, nullable=True),
        sa.Column("last_called_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["brand_id", "id"], ["post.brand_id", "post.id"], name=op.f("fk_review_brand_id_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_since_at", "review", ["brand_id", "since_at", "id"], unique=False)


def _approval() -> None:
    op.create_table(
        "approval",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "post_id"], ["post.brand_id", "post.id"], name=op.f("fk_approval_brand_id_post_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_approval")),
    )
    op.create_index("ix_approval_post", "approval", ["brand_id", "post_id", "id"], unique=False)


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=True),
        sa.Column("held_at", _TIME, nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", _TIME, nullable=True),
        sa.Column("missed", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_hold_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_hold")),
    )
    op.create_index(
        "uq_hold_current", "hold", ["brand_id"], unique=True, postgresql_where=sa.text("released_at IS NULL")
    )


def _platform() -> None:
    op.create_table(
        "approval_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("post_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.Column("last_seen_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_approval_link_hash")),
    )
    op.create_index("ix_approval_link_brand", "approval_link", ["brand_id", "id"], unique=False)
    op.create_table(
        "due_reminder",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_due_reminder")),
    )
    op.create_index("ix_due_reminder_due_at", "due_reminder", ["due_at"], unique=False)


def downgrade() -> None:
    op.execute("DROP FUNCTION parvis.enter_by_link(bytea)")
    for table in ("due_reminder", "approval_link", *_CONTENT):
        op.drop_table(table)
    for name in ("approval_last_call_hours", "approval_reminder_hours", "client_approval", "approval"):
        op.drop_column("brand", name)
