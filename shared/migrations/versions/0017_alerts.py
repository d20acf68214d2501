"""Alerts: what brands are watched for, what was found, and when they are looked at next."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SEEN = "brand_id = ANY (parvis.seen_brands())"


def upgrade() -> None:
    _rules()
    _alerts()
    for table in ("alert_rule", "alert"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_SEEN}) WITH CHECK ({_SEEN})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")
    op.create_table(
        "due_alert",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_due_alert")),
    )
    op.create_index("ix_due_alert_due_at", "due_alert", ["due_at"], unique=False)
    op.execute("ALTER TABLE due_alert ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON due_alert TO parvis_app USING ({_SEEN})")
    op.execute("CREATE POLICY claims ON due_alert TO parvis_worker USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON due_alert TO parvis_app, parvis_worker")


def _rules() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("sensitivity", sa.String(32), nullable=False),
        sa.Column("where", postgresql.JSONB(), nullable=False),
        sa.Column("reach", sa.Integer(), nullable=True),
        sa.Column("hold_posts", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("snoozed_until", _TIME, nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_alert_rule_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_alert_rule")),
    )


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("followed_at", _TIME, nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("course", postgresql.JSONB(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "rule_id"], ["alert_rule.brand_id", "alert_rule.id"], name=op.f("fk_alert_brand_id_rule_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_alert")),
    )
    op.create_index(
        "uq_alert_open",
        "alert",
        ["brand_id", "rule_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_alert_rule", "alert", ["brand_id", "rule_id", "id"], unique=False)


def downgrade() -> None:
    for table in ("due_alert", "alert", "alert_rule"):
        op.drop_table(table)
