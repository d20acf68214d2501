"""Seeing: what could not be settled or sent is found without reading what could, and the api may ask who is alive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Heartbeats say service, machine and until when; `lease` itself stays closed to the api's role.
_HEARTS = """
CREATE FUNCTION parvis.heartbeats() RETURNS TABLE (service text, machine text, alive boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT split_part(name, ':', 2), split_part(name, ':', 3), until > clock_timestamp()
    FROM lease WHERE name LIKE 'heartbeat:%'
$$
"""


def upgrade() -> None:
    op.create_index(
        "ix_arrival_shelved",
        "arrival",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('dead', 'unreadable')"),
    )
    op.create_index(
        "ix_outgoing_unsent",
        "outgoing",
        ["brand_id", "settled_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('refused', 'uncertain')"),
    )
    op.execute(_HEARTS)
    op.execute("REVOKE ALL ON FUNCTION parvis.heartbeats() FROM public")
    op.execute("GRANT EXECUTE ON FUNCTION parvis.heartbeats() TO parvis_app, parvis_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION parvis.heartbeats()")
    op.drop_index("ix_outgoing_unsent", table_name="outgoing")
    op.drop_index("ix_arrival_shelved", table_name="arrival")
