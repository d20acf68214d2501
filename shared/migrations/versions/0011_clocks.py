"""Brands that live on a network with a time of its own: how far theirs is ahead, and a scope that says it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# One round trip, as for the scope alone: the scope is set before the row is looked for, and by it.
_SCOPE_AT = """
CREATE FUNCTION parvis.scope_at(brand uuid) RETURNS interval LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET LOCAL parvis.brands = %L', brand);
  RETURN (SELECT c.ahead FROM brand_clock c WHERE c.brand_id = brand);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "brand_clock",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("ahead", sa.Interval(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_brand_clock")),
    )
    for statement in (
        "ALTER TABLE brand_clock ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY tenant ON brand_clock TO parvis_app USING (brand_id = ANY (parvis.seen_brands()))",
        "CREATE POLICY claims ON brand_clock TO parvis_worker USING (true)",
        "GRANT SELECT ON brand_clock TO parvis_app",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON brand_clock TO parvis_worker",
        _SCOPE_AT,
        "REVOKE ALL ON FUNCTION parvis.scope_at(uuid) FROM public",
        "GRANT EXECUTE ON FUNCTION parvis.scope_at(uuid) TO parvis_app, parvis_worker",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION parvis.scope_at(uuid)")
    op.drop_table("brand_clock")
