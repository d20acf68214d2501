"""Consent: what a person is asked on a network and takes back, the logins of apps, and what is connected by them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Whoever comes back from a network has no key: the state says who asked, for which brand. Sets both for the
# transaction. The key's columns are null where it is revoked or expired, the role where the brand is no longer theirs.
_ENTER = """
CREATE FUNCTION parvis.enter_by_state(digest bytea)
RETURNS TABLE (consent_id uuid, brand_id uuid, user_id uuid, key_id uuid, organization_id uuid, scopes text[],
               key_brand_id uuid, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE c consent;
BEGIN
  SELECT x.* INTO c FROM consent x WHERE x.state = digest;
  IF NOT FOUND THEN RETURN; END IF;
  EXECUTE format('SET LOCAL parvis.acting_user = %L', c.user_id);
  PERFORM parvis.scope(ARRAY[c.brand_id]);
  RETURN QUERY
    SELECT c.id, c.brand_id, c.user_id, k.id, k.organization_id, k.scopes, k.brand_id, g.role::text
      FROM (SELECT 1) one
      LEFT JOIN api_key k ON k.id = c.api_key_id AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > now())
            AND EXISTS (SELECT FROM membership m WHERE m.organization_id = k.organization_id AND m.user_id = k.user_id)
      LEFT JOIN "grant" g ON g.organization_id = k.organization_id AND g.brand_id = c.brand_id
            AND (k.brand_id IS NULL OR k.brand_id = c.brand_id);
END $$
"""
# A consent holds logins, so the worker's role does not read it; it may only let old ones go. One that nothing came of
# stays a day longer: whoever comes back that late is still sent on to where they came from.
_FORGET = """
CREATE FUNCTION parvis.forget_consents() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM consent
    WHERE expires_at < now() - CASE WHEN choices IS NULL THEN interval '1 day' ELSE interval '0' END RETURNING 1)
  SELECT count(*) FROM gone
$$
"""
# The network's word comes without a key: the api's role hands it in, and asks how far it is by its code alone.
_RECEIVE = """
CREATE FUNCTION parvis.receive_withdrawal(id uuid, network text, app uuid, kind text, person text, digest bytea,
                                          code text)
RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO withdrawal (id, network, app_id, kind, person, digest, code, channels, mentions)
  VALUES (id, network, app, kind, person, digest, code, 0, 0)
  ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING withdrawal.code
$$
"""
_ASK = """
CREATE FUNCTION parvis.withdrawal_of(code text) RETURNS TABLE (kind text, received_at timestamptz, done_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT w.kind, w.received_at, w.done_at FROM withdrawal w WHERE w.code = withdrawal_of.code
$$
"""
_WITHDRAWING = "parvis.receive_withdrawal(uuid, text, uuid, text, text, bytea, text), parvis.withdrawal_of(text)"
_APPS_OF_OURS = "base_url IS NOT NULL AND hook_id IS NULL AND removed_at IS NULL"
_REGISTERED = "client_id, client_secret, scopes, redirect_uri, registering_until"
_OWN = "brand_id = ANY (parvis.seen_brands()) AND user_id = parvis.seen_user()"
_RULES = (
    _ENTER,
    _FORGET,
    "REVOKE ALL ON FUNCTION parvis.enter_by_state(bytea), parvis.forget_consents() FROM public",
    "GRANT EXECUTE ON FUNCTION parvis.enter_by_state(bytea) TO parvis_app",
    "GRANT EXECUTE ON FUNCTION parvis.forget_consents() TO parvis_worker",
    "ALTER TABLE consent ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own ON consent TO parvis_app USING ({_OWN})",
    "GRANT SELECT, INSERT, UPDATE (choices, code, error, returned_at, expires_at) ON consent TO parvis_app",
    # Apps are the installation's. The api signs in as any of them, and makes those that a server registers by itself.
    "CREATE POLICY installed ON app FOR SELECT TO parvis_app USING (removed_at IS NULL)",
    f"CREATE POLICY registers ON app FOR INSERT TO parvis_app WITH CHECK ({_APPS_OF_OURS})",
    f"CREATE POLICY registered ON app FOR UPDATE TO parvis_app USING ({_APPS_OF_OURS}) WITH CHECK ({_APPS_OF_OURS})",
    f"GRANT SELECT, INSERT, UPDATE ({_REGISTERED}) ON app TO parvis_app",
    "GRANT SELECT (through_app_id, granted_by, granted_at), UPDATE (granted_by) ON hook TO parvis_worker",
    "CREATE POLICY forgets ON hook FOR UPDATE TO parvis_worker USING (brand_id = ANY (parvis.seen_brands()))",
    _RECEIVE,
    _ASK,
    f"REVOKE ALL ON FUNCTION {_WITHDRAWING} FROM public",
    f"GRANT EXECUTE ON FUNCTION {_WITHDRAWING} TO parvis_app",
    "ALTER TABLE withdrawal ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY claims ON withdrawal TO parvis_worker USING (true)",
    "GRANT SELECT, UPDATE ON withdrawal TO parvis_worker",
)


def upgrade() -> None:
    for column in (
        sa.Column("base_url", sa.Text()),
        sa.Column("client_id", sa.Text()),
        sa.Column("client_secret", sa.LargeBinary()),
        sa.Column("scopes", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("redirect_uri", sa.Text()),
        sa.Column("registering_until", sa.DateTime(timezone=True)),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("app", column)
    op.alter_column("app", "scopes", server_default=None)
    op.alter_column("app", "hook_id", nullable=True)
    op.create_index(
        "uq_app_login",
        "app",
        ["network", "base_url"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at IS NULL AND (client_id IS NOT NULL OR registering_until IS NOT NULL)"),
    )
    op.add_column("hook", sa.Column("through_app_id", sa.Uuid()))
    op.add_column("hook", sa.Column("granted_by", sa.Text()))
    op.add_column("hook", sa.Column("granted_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_hook_granted_by",
        "hook",
        ["network", "granted_by"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NULL AND granted_by IS NOT NULL"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.String(32), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("verifier", sa.LargeBinary(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("choices", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("state", name=op.f("uq_consent_state")),
    )
    op.create_index("ix_consent_expires_at", "consent", ["expires_at"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.String(32), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("digest", name=op.f("uq_withdrawal_digest")),
        sa.UniqueConstraint("code", name=op.f("uq_withdrawal_code")),
    )
    op.create_index(
        "ix_withdrawal_waiting",
        "withdrawal",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    for rule in _RULES:
        op.execute(rule)


def downgrade() -> None:
    for statement in (
        "DROP FUNCTION parvis.enter_by_state(bytea)",
        "DROP FUNCTION parvis.forget_consents()",
        "DROP FUNCTION parvis.receive_withdrawal(uuid, text, uuid, text, text, bytea, text)",
        "DROP FUNCTION parvis.withdrawal_of(text)",
        "REVOKE ALL (through_app_id, granted_by, granted_at) ON hook FROM parvis_worker",
        "DROP POLICY forgets ON hook",
        "DROP POLICY installed ON app",
        "DROP POLICY registers ON app",
        "DROP POLICY registered ON app",
        "REVOKE ALL ON app FROM parvis_app",
        "DELETE FROM app WHERE hook_id IS NULL",
    ):
        op.execute(statement)
    op.drop_table("withdrawal")
    op.drop_table("consent")
    op.drop_index("ix_hook_granted_by", table_name="hook")
    op.drop_column("hook", "granted_at")
    op.drop_column("hook", "granted_by")
    op.drop_column("hook", "through_app_id")
    op.drop_index("uq_app_login", table_name="app")
    op.alter_column("app", "hook_id", nullable=False)
    for name in (
        "removed_at", "registering_until", "redirect_uri", "scopes", "client_secret", "client_id", "base_url",
    ):  # fmt: skip
        op.drop_column("app", name)
