"""Searching: each reading of the words is looked up once, few rows are read for a frequent one, and oldest first has a way
of its own."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_OLDEST = "parvis.search_oldest(text, timestamptz, timestamptz, timestamptz, uuid, int)"


def upgrade() -> None:
    for statement in Path(__file__).with_suffix(".sql").read_text("utf-8").split("$$;\n")[:-1]:
        op.execute(f"{statement}$$".replace(":", r"\:"))
    op.execute(f"REVOKE ALL ON FUNCTION parvis.search_readings(text), {_OLDEST} FROM public")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_OLDEST} TO parvis_app, parvis_worker")


def downgrade() -> None:
    """What was there before finds the same: it stays."""
