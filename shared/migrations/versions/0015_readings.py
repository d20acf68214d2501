"""What is read of mentions, and what people say against it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TEXTS = sa.ARRAY(sa.Text())
_READ = (
    ("sentiment", sa.String(length=32)),
    ("sentiment_score", sa.Float()),
    ("intents", _TEXTS),
    ("urgency", sa.Float()),
    ("offence", sa.Float()),
    ("topics", _TEXTS),
    ("read_by", sa.Text()),
)


def upgrade() -> None:
    op.add_column("mention", sa.Column("said_language", sa.Text(), nullable=True))
    for name, type_ in _READ:
        op.add_column("mention", sa.Column(name, type_, nullable=True))
    op.add_column("mention", sa.Column("corrected", _TEXTS, server_default="{}", nullable=False))
    # The owner sees every brand's rows only while row security is not forced upon it.
    op.execute("ALTER TABLE mention NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE mention SET said_language = language WHERE language IS NOT NULL")
    op.execute("ALTER TABLE mention FORCE ROW LEVEL SECURITY")
    for table in ("rollup_day", "rollup_hour"):
        for name in ("positive", "neutral", "negative"):
            op.add_column(table, sa.Column(name, sa.Integer(), server_default="0", nullable=False))
            op.alter_column(table, name, server_default=None)
    op.add_column("operation", sa.Column("changed", sa.Integer(), server_default="0", nullable=False))
    _corrections()
    # A person's word on a language moves the search's row with it, in the transaction of the api. The function refuses
    # brands that the transaction has not opened.
    op.execute(
        "GRANT EXECUTE ON FUNCTION parvis.index_mentions(uuid, uuid[], timestamptz[], text[], text[]) TO parvis_app"
    )


def _corrections() -> None:
    op.create_table(
        "correction",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mention_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", _TEXTS, nullable=False),
        sa.Column("replaced", _TEXTS, nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "mention_id"],
            ["mention.brand_id", "mention.id"],
            name=op.f("fk_correction_brand_id_mention_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_correction")),
    )
    op.create_index("ix_correction_mention", "correction", ["brand_id", "mention_id", "id"])
    op.execute("ALTER TABLE correction ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE correction FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON correction USING (brand_id = ANY (parvis.seen_brands()))"
        " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON correction TO parvis_app, parvis_worker")


def downgrade() -> None:
    raise RuntimeError("what people corrected would be lost: restore a backup instead")
