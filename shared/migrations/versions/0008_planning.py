"""When the brand speaks: slots, recurrences, days of silence, feeds of the calendar, and what becomes of the missed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CONTENT = ("slot", "blackout", "recurrence")

# A calendar program brings nothing but its address. Whoever may no longer see the brand is shown nothing.
_ENTER = """
CREATE FUNCTION parvis.enter_by_feed(token_digest bytea) RETURNS TABLE (feed_id uuid, brand_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE f calendar_feed;
BEGIN
  SELECT x.* INTO f FROM calendar_feed x
    JOIN membership m ON m.organization_id = x.organization_id AND m.user_id = x.user_id
    JOIN "grant" g ON g.organization_id = x.organization_id AND g.brand_id = x.brand_id
   WHERE x.digest = token_digest;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM parvis.scope(ARRAY[f.brand_id]);
  RETURN QUERY SELECT f.id, f.brand_id;
END $$
"""
_OWN = "brand_id = ANY (parvis.seen_brands()) AND user_id = parvis.seen_user()"
_FEEDS = (
    _ENTER,
    "REVOKE ALL ON FUNCTION parvis.enter_by_feed(bytea) FROM public",
    "GRANT EXECUTE ON FUNCTION parvis.enter_by_feed(bytea) TO parvis_app",
    "ALTER TABLE calendar_feed ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own ON calendar_feed TO parvis_app USING ({_OWN}) WITH CHECK ({_OWN})",
    "GRANT SELECT, INSERT, DELETE ON calendar_feed TO parvis_app",
)


def upgrade() -> None:
    for column in (
        sa.Column("missed", sa.String(32), server_default="fire", nullable=False),
        sa.Column("grace_seconds", sa.Integer(), server_default="3600", nullable=False),
    ):
        op.add_column("brand", column)
        op.alter_column("brand", column.name, server_default=None)
    _slots()
    _blackouts()
    _recurrences()
    for table in _CONTENT:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (brand_id = ANY (parvis.seen_brands()))"
            " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")
    _posts()
    _queue()
    _feeds()


def _row(*columns: sa.Column[object]) -> list[sa.Column[object]]:
    return [
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def _keys(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f(f"fk_{table}_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f(f"pk_{table}")),
    ]


def _slots() -> None:
    columns = _row(
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("weekday", sa.String(32), nullable=False),
        sa.Column("local_time", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("channel_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("removed_at", _TIME, nullable=True),
    )
    op.create_table("slot", *columns, *_keys("slot"))


def _blackouts() -> None:
    columns = _row(
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
    )
    op.create_table("blackout", *columns, *_keys("blackout"))
    op.create_index("ix_blackout_ends_on", "blackout", ["brand_id", "ends_on"], unique=False)


def _recurrences() -> None:
    columns = _row(
        sa.Column("template", postgresql.JSONB(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("local_time", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("blackouts", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("skipped", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("made_until", sa.Date(), nullable=True),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
    )
    op.create_table("recurrence", *columns, *_keys("recurrence"))
    op.create_index(
        "ix_recurrence_active",
        "recurrence",
        ["brand_id"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )


def _posts() -> None:
    for name, type_ in (
        ("slot_id", sa.Uuid()),
        ("slot_day", sa.Date()),
        ("recurrence_id", sa.Uuid()),
        ("occurs_on", sa.Date()),
    ):
        op.add_column("post", sa.Column(name, type_, nullable=True))
    for name, day in (("slot", "slot_day"), ("recurrence", "occurs_on")):
        op.create_foreign_key(
            op.f(f"fk_post_brand_id_{name}_id"), "post", name, ["brand_id", f"{name}_id"], ["brand_id", "id"]
        )
        op.create_index(
            "uq_post_slot" if name == "slot" else "uq_post_occurrence",
            "post",
            ["brand_id", f"{name}_id", day],
            unique=True,
            postgresql_where=sa.text(f"{name}_id IS NOT NULL"),
        )
    op.create_index(
        "ix_post_scheduled_at",
        "post",
        ["brand_id", "scheduled_at"],
        unique=False,
        postgresql_where=sa.text("scheduled_at IS NOT NULL"),
    )


def _queue() -> None:
    op.create_table(
        "due_recurrence",
        sa.Column("recurrence_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("recurrence_id", name=op.f("pk_due_recurrence")),
    )
    op.create_index("ix_due_recurrence_due_at", "due_recurrence", ["due_at"], unique=False)
    op.execute("ALTER TABLE due_recurrence ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY tenant ON due_recurrence TO parvis_app USING (brand_id = ANY (parvis.seen_brands()))")
    op.execute("CREATE POLICY claims ON due_recurrence TO parvis_worker USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON due_recurrence TO parvis_app, parvis_worker")


def _feeds() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feed_digest")),
    )
    op.create_index("ix_calendar_feed_brand", "calendar_feed", ["brand_id", "user_id"], unique=False)
    for statement in _FEEDS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("slots and recurrences have no place in the schema of before: restore a backup instead")
