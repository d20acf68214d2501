"""What queries matched, and which model has read what, summed by day: figures of years without counting mentions."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_OWN = "(m.kind = 'post' AND m.author_kind = 'brand')"
_COUNTED = f"count(*) FILTER (WHERE NOT {_OWN}), count(*) FILTER (WHERE {_OWN}), " + ", ".join(
    f"count(*) FILTER (WHERE NOT {_OWN} AND m.sentiment = '{mood}')" for mood in ("positive", "neutral", "negative")
)
_LISTED = "m.heard AND m.deleted_at IS NULL"
_DAY = "date_trunc('day', m.published_at, b.timezone)"
_SUMS = ("mentions", "posts", "positive", "neutral", "negative")


_COLUMNS = f"(brand_id, query_id, channel_id, day, {', '.join(_SUMS)})"
_OF_EACH = (
    f"INSERT INTO rollup_query_day {_COLUMNS} SELECT m.brand_id, q.query_id, m.channel_id, {_DAY}, {_COUNTED}"
    " FROM match q JOIN mention m ON m.brand_id = q.brand_id AND m.id = q.mention_id"
    f" JOIN brand b ON b.brand_id = m.brand_id WHERE {_LISTED} GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING"
)
_OF_ANY = (
    f"INSERT INTO rollup_query_day {_COLUMNS}"
    f" SELECT m.brand_id, '00000000-0000-0000-0000-000000000000'::uuid, m.channel_id, {_DAY}, {_COUNTED}"
    f" FROM mention m JOIN brand b ON b.brand_id = m.brand_id WHERE {_LISTED} AND EXISTS"
    " (SELECT 1 FROM match q WHERE q.brand_id = m.brand_id AND q.mention_id = m.id)"
    " GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING"
)
_READ = (
    "INSERT INTO rollup_reading_day (brand_id, channel_id, kind, day, read_by, mentions, corrected)"
    f" SELECT m.brand_id, m.channel_id, m.kind, {_DAY}, coalesce(m.read_by, ''), count(*),"
    "  count(*) FILTER (WHERE m.corrected <> '{}')"
    f" FROM mention m JOIN brand b ON b.brand_id = m.brand_id WHERE {_LISTED} AND NOT {_OWN}"
    " GROUP BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING"
)
FILLING = (_OF_EACH, _OF_ANY, _READ)


def upgrade() -> None:
    op.create_table(
        "rollup_query_day",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("brand_id", "query_id", "channel_id")),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("brand_id", "query_id", "channel_id", "day", name=op.f("pk_rollup_query_day")),
    )
    op.create_table(
        "rollup_reading_day",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("brand_id", "channel_id")),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_by", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("mentions", "corrected")),
        sa.PrimaryKeyConstraint("brand_id", "channel_id", "kind", "day", "read_by", name=op.f("pk_rollup_reading_day")),
    )
    _fill()
    for table in ("rollup_query_day", "rollup_reading_day"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (brand_id = ANY (parvis.seen_brands()))"
            " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")


def _fill() -> None:
    """Count what was matched and read so far. What services of the release before record meanwhile would be missing:
    nobody may write mentions and matches until this is committed."""
    op.execute("LOCK TABLE mention, match IN SHARE ROW EXCLUSIVE MODE")
    # The owner sees every brand's rows only while row security is not forced upon it.
    for table in ("brand", "mention", "match"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in FILLING:
        op.execute(statement)
    for table in ("brand", "mention", "match"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for table in ("rollup_reading_day", "rollup_query_day"):
        op.drop_table(table)
