"""What the planner knows of brands: sooner."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_LOOKED_UP = ("mention", "thread", "identity")


def upgrade() -> None:
    # A tenth of a large table has to change before it is analysed anew, which may be all of a brand that is new. How many
    # rows are looked at for it does not grow with the table.
    for table in _LOOKED_UP:
        op.execute(
            f"ALTER TABLE {table} SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000)"
        )


def downgrade() -> None:
    for table in _LOOKED_UP:
        op.execute(f"ALTER TABLE {table} RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold)")
