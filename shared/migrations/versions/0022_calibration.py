"""A brand's own calibration, from what its people corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SEEN = "brand_id = ANY (parvis.seen_brands())"


def upgrade() -> None:
    op.add_column("brand", sa.Column("learns", sa.Boolean(), server_default="true", nullable=False))
    op.alter_column("brand", "learns", server_default=None)
    op.add_column("correction", sa.Column("read_by", sa.Text(), nullable=True))
    # The first word on a field replaced the model's. The owner sees every brand's rows only while row security is not
    # forced upon it.
    for table in ("correction", "mention"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE correction c SET read_by = m.read_by FROM mention m"
        " WHERE m.brand_id = c.brand_id AND m.id = c.mention_id AND m.read_by IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM correction o WHERE o.brand_id = c.brand_id AND o.mention_id = c.mention_id"
        " AND o.field = c.field AND o.id < c.id)"
    )
    for table in ("correction", "mention"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_index("ix_correction_field", "correction", ["brand_id", "field", "id"])
    op.create_table(
        "calibration",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("moods", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("intents", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("sentiment_corrections", sa.Integer(), nullable=False),
        sa.Column("intent_corrections", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_calibration")),
    )
    op.execute("ALTER TABLE calibration ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE calibration FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON calibration USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON calibration TO parvis_app, parvis_worker")


def downgrade() -> None:
    op.drop_table("calibration")
    op.drop_index("ix_correction_field", "correction")
    op.drop_column("correction", "read_by")
    op.drop_column("brand", "learns")
