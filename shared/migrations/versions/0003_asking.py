"""Asking: what is polled, fetched, looked back for and renewed, in lanes; long work that is watched and called off."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_QUEUES = ("due_fetch", "due_operation", "due_upkeep")

# Who asks a network to push on must say what it is to sign with. The worker's role sees no hook's secret but by these,
# and by these only those of the brands that its transaction is about.
_READS = """
CREATE FUNCTION parvis.hook_secret(hook_id uuid) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE h hook;
BEGIN
  SELECT a.* INTO h FROM hook a WHERE a.id = hook_id AND a.removed_at IS NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM parvis.refuse_unseen(h.brand_id);
  RETURN h.secret;
END $$
"""
_KEEPS = """
CREATE FUNCTION parvis.keep_hook_secret(hook_id uuid, sealed bytea, digests text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE h hook;
BEGIN
  SELECT a.* INTO h FROM hook a WHERE a.id = hook_id AND a.removed_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM parvis.refuse_unseen(h.brand_id);
  UPDATE hook SET secret = sealed, key_digests = digests WHERE id = hook_id;
END $$
"""
_FUNCTIONS = ("parvis.hook_secret(uuid)", "parvis.keep_hook_secret(uuid, bytea, text[])")


def upgrade() -> None:
    op.add_column("channel", sa.Column("terms", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    for name in ("login_expires_at", "subscribe_at"):
        op.add_column("channel", sa.Column(name, _TIME, nullable=True))
    op.add_column("channel", sa.Column("recheck_cursor", sa.Uuid(), nullable=True))
    # Rows of before stand in one lane until their next poll, which says where they belong.
    op.add_column("due_poll", sa.Column("lane", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_mention_channel", "mention", ["brand_id", "channel_id", "id"], unique=False)
    _operation()
    _queues()
    for function in (_READS, _KEEPS):
        op.execute(function)
    for signature in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM public")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO parvis_app, parvis_worker")


def _operation() -> None:
    op.create_table(
        "operation",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("reached_at", _TIME, nullable=True),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "channel_id"],
            ["channel.brand_id", "channel.id"],
            name=op.f("fk_operation_brand_id_channel_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_operation")),
    )
    op.create_index("ix_operation_channel", "operation", ["brand_id", "channel_id", "id"], unique=False)
    op.create_index(
        "uq_operation_unfinished",
        "operation",
        ["brand_id", "channel_id", "kind"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )
    op.execute("ALTER TABLE operation ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE operation FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON operation USING (brand_id = ANY (parvis.seen_brands()))"
        " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON operation TO parvis_app, parvis_worker")


def _queues() -> None:
    op.create_table(
        "due_fetch",
        *_turn("id"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("arrival_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_fetch")),
        sa.UniqueConstraint("channel_id", "key", name=op.f("uq_due_fetch_channel_id_key")),
    )
    op.create_table(
        "due_operation", *_turn("operation_id"), sa.PrimaryKeyConstraint("operation_id", name=op.f("pk_due_operation"))
    )
    op.create_table(
        "due_upkeep",
        *_turn("id"),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_upkeep")),
        sa.UniqueConstraint("channel_id", "kind", name=op.f("uq_due_upkeep_channel_id_kind")),
    )
    for table in _QUEUES:
        op.create_index(f"ix_{table}_due_at", table, ["due_at"], unique=False)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} TO parvis_app USING (brand_id = ANY (parvis.seen_brands()))")
        op.execute(f"CREATE POLICY claims ON {table} TO parvis_worker USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")


def _turn(key: str) -> list[sa.Column[object]]:
    return [
        sa.Column(key, sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
    ]


def downgrade() -> None:
    for signature in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    for table in (*_QUEUES, "operation"):
        op.drop_table(table)
    op.drop_index("ix_mention_channel", table_name="mention")
    op.drop_column("due_poll", "lane")
    for name in ("recheck_cursor", "subscribe_at", "login_expires_at", "terms"):
        op.drop_column("channel", name)
