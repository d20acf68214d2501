"""Effects of every kind: what hangs beneath a post, what is done to a mention; forms of a post; budgets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _json("channel", "limits", "{}")
    _json("post", "media", "[]")
    op.add_column("post", sa.Column("link", sa.Text(), nullable=True))
    for name in ("link", "first_comment", "audience"):
        op.add_column("variant", sa.Column(name, sa.Text(), nullable=True))
    _json("variant", "parts", "[]")
    op.alter_column("variant", "media", nullable=True)
    # A variant without media of its own says what its post says. FORCE holds the owner, too: its policy is lifted for
    # this statement, inside the migration's transaction.
    op.execute("ALTER TABLE variant NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE variant SET media = NULL WHERE media = '[]'::jsonb")
    op.execute("ALTER TABLE variant FORCE ROW LEVEL SECURITY")
    _outgoing()
    _queue()


def _json(table: str, column: str, empty: str) -> None:
    """A column that is empty in the rows of before, and named in those to come."""
    op.add_column(table, sa.Column(column, postgresql.JSONB(), server_default=empty, nullable=False))
    op.alter_column(table, column, server_default=None)


def _outgoing() -> None:
    for name in ("mention_id", "identity_id", "after_id", "undoes_id", "created_by"):
        op.add_column("outgoing", sa.Column(name, sa.Uuid(), nullable=True))
    op.add_column("outgoing", sa.Column("prepared_at", _TIME, nullable=True))
    _json("outgoing", "marks", "{}")
    op.add_column("outgoing", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("outgoing", "version", server_default=None)
    for name in ("mention", "identity"):
        op.create_foreign_key(
            op.f(f"fk_outgoing_brand_id_{name}_id"),
            "outgoing",
            name,
            ["brand_id", f"{name}_id"],
            ["brand_id", "id"],
        )
    for name in ("mention", "identity", "after"):
        op.create_index(
            f"ix_outgoing_{name}",
            "outgoing",
            ["brand_id", f"{name}_id"],
            unique=False,
            postgresql_where=sa.text(f"{name}_id IS NOT NULL"),
        )


def _queue() -> None:
    op.add_column("due_outgoing", sa.Column("channel_id", sa.Uuid(), nullable=True))
    op.create_index("ix_due_outgoing_brand", "due_outgoing", ["brand_id", "due_at"], unique=False)
    op.create_table(
        "budget",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("told_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_budget")),
    )
    op.execute("ALTER TABLE budget ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY claims ON budget TO parvis_worker USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON budget TO parvis_worker")


def downgrade() -> None:
    raise RuntimeError("effects on mentions have no place in the schema of before: restore a backup instead")
