"""Notices: what people are told, by which ways and when; mails; webhooks that we send."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CONTENT = ("notification", "notice_cursor", "told", "webhook_delivery", "webhook_attempt")

# Whom a brand's events may concern: the members of organizations with a grant on it, each with what they wish. The
# worker's role sees no user but by these two functions.
_PEOPLE = """
CREATE FUNCTION parvis.people_of(brand uuid)
RETURNS TABLE (user_id uuid, organization_id uuid, role text, language text, has_email boolean, timezone text,
               quiet jsonb, urgent_breaks_through boolean, digest text, digest_time text, digest_day int,
               preferences jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  RETURN QUERY
    SELECT u.id, g.organization_id, g.role::text, u.language, u.email IS NOT NULL, s.timezone, s.quiet,
           s.urgent_breaks_through, s.digest::text, s.digest_time, s.digest_day,
           coalesce((SELECT jsonb_agg(jsonb_build_array(p.kind, p.way, p.brand_id IS NOT NULL, p.is_on))
                       FROM notification_preference p
                      WHERE p.user_id = u.id AND (p.brand_id IS NULL OR p.brand_id = brand)), '[]')
      FROM "grant" g JOIN membership m ON m.organization_id = g.organization_id JOIN "user" u ON u.id = m.user_id
      LEFT JOIN notification_settings s ON s.user_id = u.id
     WHERE g.brand_id = brand
     ORDER BY u.id;
END $$
"""
_ADDRESSEE = """
CREATE FUNCTION parvis.addressee(who uuid)
RETURNS TABLE (name text, email text, language text, brands uuid[], muted text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.name, u.email, u.language,
         coalesce((SELECT array_agg(DISTINCT g.brand_id) FROM membership m
                     JOIN "grant" g ON g.organization_id = m.organization_id WHERE m.user_id = u.id), '{}'),
         coalesce((SELECT array_agg(p.kind::text) FROM notification_preference p
                    WHERE p.user_id = u.id AND p.way = 'mail' AND p.brand_id IS NULL AND NOT p.is_on
                      AND NOT EXISTS (SELECT FROM notification_preference b WHERE b.user_id = p.user_id
                                       AND b.kind = p.kind AND b.way = p.way AND b.brand_id IS NOT NULL AND b.is_on)),
                  '{}')
    FROM "user" u WHERE u.id = who
$$
"""
# Who follows a mail's link has no key: the link is signed, and all that it can do is to turn mails off.
_UNSUBSCRIBE = """
CREATE FUNCTION parvis.unsubscribe(who uuid, kinds text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM notification_preference
                 WHERE user_id = who AND way = 'mail' AND kind = ANY (kinds) AND brand_id IS NOT NULL)
  INSERT INTO notification_preference (id, user_id, brand_id, kind, way, is_on)
  SELECT gen_random_uuid(), u.id, NULL, k, 'mail', false FROM "user" u, unnest(kinds) AS k WHERE u.id = who
  ON CONFLICT (user_id, brand_id, kind, way) DO UPDATE SET is_on = false
$$
"""
_FUNCTIONS = {
    "parvis.people_of(uuid)": "parvis_worker",
    "parvis.addressee(uuid)": "parvis_worker",
    "parvis.unsubscribe(uuid, text[])": "parvis_app",
}
_MINE = "user_id = parvis.seen_user()"
_OWN_ENDPOINT = f"({_MINE} AND organization_id = parvis.seen_organization()) OR brand_id = ANY (parvis.seen_brands())"
_EVERYBODYS = "brand_id IS NULL OR brand_id = ANY (parvis.seen_brands())"
_RULES = (
    # A colleague is seen, and not changed.
    'CREATE POLICY only_oneself ON "user" AS RESTRICTIVE FOR UPDATE TO parvis_app USING (id = parvis.seen_user())',
    'GRANT UPDATE (language) ON "user" TO parvis_app',
    "ALTER TABLE notification_preference ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own ON notification_preference TO parvis_app USING ({_MINE})",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON notification_preference TO parvis_app",
    "ALTER TABLE notification_settings ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own ON notification_settings TO parvis_app USING ({_MINE})",
    "GRANT SELECT, INSERT, UPDATE ON notification_settings TO parvis_app",
    "ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own ON webhook_endpoint TO parvis_app USING ({_OWN_ENDPOINT})",
    f"CREATE POLICY told ON webhook_endpoint TO parvis_worker USING ({_EVERYBODYS})",
    "GRANT SELECT, INSERT, UPDATE ON webhook_endpoint TO parvis_app",
    "GRANT SELECT, UPDATE (failing_since, disabled_at, disabled_reason, version) ON webhook_endpoint TO parvis_worker",
    "ALTER TABLE due_webhook ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY tenant ON due_webhook TO parvis_app USING (brand_id = ANY (parvis.seen_brands()))",
    "CREATE POLICY claims ON due_webhook TO parvis_worker USING (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON due_webhook TO parvis_app, parvis_worker",
    *(
        rule
        for table in ("due_notice", "due_mail", "mail")
        for rule in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY claims ON {table} TO parvis_worker USING (true)",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_worker",
        )
    ),
)


def upgrade() -> None:
    op.add_column("user", sa.Column("language", sa.Text(), nullable=True))
    _notifications()
    _wishes()
    _mails()
    _webhooks()
    _begin_here()
    for table in _CONTENT:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (brand_id = ANY (parvis.seen_brands()))"
            " WITH CHECK (brand_id = ANY (parvis.seen_brands()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO parvis_app, parvis_worker")
    for function in (_PEOPLE, _ADDRESSEE, _UNSUBSCRIBE):
        op.execute(function)
    for signature, role in _FUNCTIONS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM public")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {role}")
    for rule in _RULES:
        op.execute(rule)


def _begin_here() -> None:
    """Nobody is told of what happened before: each brand's cursor stands at its last event. FORCE holds the owner, too:
    the policy of what is read is lifted for this statement, inside the migration's transaction."""
    op.execute("ALTER TABLE brand_sequence NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO notice_cursor (brand_id, seq) SELECT brand_id, last_seq FROM brand_sequence ON CONFLICT DO NOTHING"
    )
    op.execute("ALTER TABLE brand_sequence FORCE ROW LEVEL SECURITY")


def _notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("thing_prefix", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("mail_due_at", _TIME, nullable=True),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_notification_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_notification")),
    )
    op.create_index("uq_notification_once", "notification", ["brand_id", "event_id", "user_id", "kind"], unique=True)
    op.create_index("ix_notification_user", "notification", ["brand_id", "user_id", "id"], unique=False)
    op.create_index("ix_notification_seq", "notification", ["brand_id", "user_id", "seq"], unique=False)
    for name, columns, where in (
        ("unread", ["brand_id", "user_id"], "in_app AND read_at IS NULL"),
        ("unmailed", ["brand_id", "user_id", "mail_due_at"], "mail_due_at IS NOT NULL AND mail_id IS NULL"),
        ("mail", ["brand_id", "mail_id"], "mail_id IS NOT NULL"),
    ):
        op.create_index(
            f"ix_notification_{name}", "notification", columns, unique=False, postgresql_where=sa.text(where)
        )
    op.create_table(
        "notice_cursor",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_notice_cursor")),
    )
    op.create_table(
        "told",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "thing_id", name=op.f("pk_told")),
    )
    op.create_table(
        "due_notice",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("due_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_due_notice")),
    )
    op.create_index("ix_due_notice_due_at", "due_notice", ["due_at"], unique=False)


def _wishes() -> None:
    op.create_table(
        "notification_preference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("way", sa.String(32), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notification_preference_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preference")),
    )
    op.create_index(
        "uq_notification_preference",
        "notification_preference",
        ["user_id", "brand_id", "kind", "way"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "notification_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("quiet", postgresql.JSONB(), nullable=False),
        sa.Column("urgent_breaks_through", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("digest_time", sa.Text(), nullable=False),
        sa.Column("digest_day", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notification_settings_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_settings")),
    )


def _mails() -> None:
    op.create_table(
        "due_mail",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "brand_id", name=op.f("pk_due_mail")),
    )
    op.create_index("ix_due_mail_due_at", "due_mail", ["due_at"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("brand_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index(
        "ix_mail_due_at",
        "mail",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'sending', 'retrying')"),
    )
    op.create_index("ix_mail_settled_at", "mail", ["settled_at"], unique=False)


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_before", sa.LargeBinary(), nullable=True),
        sa.Column("secret_before_until", _TIME, nullable=True),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_webhook_endpoint_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_webhook_endpoint_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    for name in ("brand", "user"):
        op.create_index(f"ix_webhook_endpoint_{name}", "webhook_endpoint", [f"{name}_id"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_webhook_delivery_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(
        "uq_webhook_delivery_once", "webhook_delivery", ["brand_id", "endpoint_id", "event_id"], unique=True
    )
    op.create_index("ix_webhook_delivery_endpoint", "webhook_delivery", ["brand_id", "endpoint_id", "id"], unique=False)
    op.create_table(
        "webhook_attempt",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "delivery_id"],
            ["webhook_delivery.brand_id", "webhook_delivery.id"],
            name=op.f("fk_webhook_attempt_brand_id_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "delivery_id", "number", name=op.f("pk_webhook_attempt")),
    )
    op.create_table(
        "due_webhook",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_due_webhook")),
    )
    op.create_index("ix_due_webhook_due_at", "due_webhook", ["due_at"], unique=False)


def downgrade() -> None:
    for signature in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    for table in (
        "due_webhook", "webhook_attempt", "webhook_delivery", "webhook_endpoint", "mail", "due_mail", "due_notice",
        "told", "notice_cursor", "notification", "notification_settings", "notification_preference",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute('DROP POLICY only_oneself ON "user"')
    op.execute('REVOKE UPDATE (language) ON "user" FROM parvis_app')
    op.drop_column("user", "language")
