"""What queries matched, summed by day: share of voice over years without counting mentions."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0017"
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
FILLING = (_OF_EACH, _OF_ANY)


def upgrade() -> None:
    op.create_table(
        "rollup_query_day",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("brand_id", "query_id", "channel_id")),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("brand_id", "query_id", "channel_id", "day", name=op.f("pk_rollup_query_day")),
    )
    _fill()
    op.execute("ALTER TABLE rollup_query_day ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE rollup_query_day FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON rollup_query_day USING (brand_id = ANY (parvis.seen_brands()))"
        " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_query_day TO parvis_app, parvis_worker")


def _fill() -> None:
    """Count what was matched so far. What services of the release before record meanwhile would be missing: nobody may
    write matches until this is committed."""
    op.execute("LOCK TABLE match IN SHARE ROW EXCLUSIVE MODE")
    # The owner sees every brand's rows only while row security is not forced upon it.
    for table in ("brand", "mention", "match"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in FILLING:
        op.execute(statement)
    for table in ("brand", "mention", "match"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("rollup_query_day")
