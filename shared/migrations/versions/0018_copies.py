"""Copies: what is said in the same words, or nearly, is of one cluster; wordings are found by the bands of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# One row for each wording of a brand, however many mentions are worded so. `wording` leads its family, or follows
# `leader`; `uses` are its mentions. Those that lead are found by themselves: they are few that are near each other.
_TABLE = """
CREATE TABLE mention_bands (
  brand_id uuid NOT NULL,
  wording uuid NOT NULL,
  leader uuid NOT NULL,
  cluster uuid NOT NULL,
  uses int NOT NULL,
  signature bytea NOT NULL,
  bands bigint[] NOT NULL,
  PRIMARY KEY (brand_id, wording)
) WITH (fillfactor = 85)
"""
# Without the list of what is pending: each text is looked up just after others were put in.
_INDEXES = """
CREATE INDEX ix_mention_bands_leading ON mention_bands USING gin (brand_id, bands) WITH (fastupdate = off)
  WHERE leader = wording;
CREATE INDEX ix_mention_bands_following ON mention_bands USING gin (brand_id, bands) WITH (fastupdate = off)
  WHERE leader <> wording;
CREATE INDEX ix_mention_bands_leader ON mention_bands (brand_id, leader) WHERE leader <> wording
"""
_ROW = "wording uuid, leader uuid, cluster uuid, uses int, signature bytea"
_HEAD = """
LANGUAGE plpgsql {volatility} SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
"""
_READS, _WRITES = _HEAD.format(volatility="STABLE"), _HEAD.format(volatility="VOLATILE")

# `asked` holds the 16 bands of each text, one text after the other.
_LEADING = f"""
CREATE FUNCTION parvis.leading_wordings(brand uuid, asked bigint[], most int) RETURNS TABLE ({_ROW}){_READS}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  FOR i IN 0 .. cardinality(asked) / 16 - 1 LOOP
    RETURN QUERY SELECT w.wording, w.leader, w.cluster, w.uses, w.signature FROM mention_bands w
      WHERE w.brand_id = brand AND w.bands && asked[16 * i + 1 : 16 * i + 16] AND w.leader = w.wording
      ORDER BY w.wording LIMIT most;
  END LOOP;
END $$
"""
_FOLLOWING = f"""
CREATE FUNCTION parvis.following_wordings(brand uuid, asked bigint[]) RETURNS TABLE ({_ROW}){_READS}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  FOR i IN 0 .. cardinality(asked) / 16 - 1 LOOP
    RETURN QUERY SELECT w.wording, w.leader, w.cluster, w.uses, w.signature FROM mention_bands w
      WHERE w.brand_id = brand AND w.bands && asked[16 * i + 1 : 16 * i + 16] AND w.leader <> w.wording;
  END LOOP;
END $$
"""
_FOLLOWERS = f"""
CREATE FUNCTION parvis.wordings_behind(brand uuid, leaders uuid[]) RETURNS TABLE ({_ROW}){_READS}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  RETURN QUERY SELECT w.wording, w.leader, w.cluster, w.uses, w.signature FROM mention_bands w
    WHERE w.brand_id = brand AND w.leader = ANY (leaders) AND w.leader <> w.wording;
END $$
"""
_USE = f"""
CREATE FUNCTION parvis.use_wordings(brand uuid, wordings uuid[], more int[]) RETURNS TABLE ({_ROW}){_WRITES}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  RETURN QUERY UPDATE mention_bands w SET uses = w.uses + u.more FROM unnest(wordings, more) AS u (wording, more)
    WHERE w.brand_id = brand AND w.wording = u.wording
    RETURNING w.wording, w.leader, w.cluster, w.uses, w.signature;
END $$
"""
_INDEX = f"""
CREATE FUNCTION parvis.index_wordings(brand uuid, wordings uuid[], leaders uuid[], clusters uuid[], counts int[],
                                      signatures bytea[], banded bigint[]) RETURNS void{_WRITES}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  INSERT INTO mention_bands (brand_id, wording, leader, cluster, uses, signature, bands)
  SELECT brand, w, l, c, u, s, banded[16 * n - 15 : 16 * n]
    FROM unnest(wordings, leaders, clusters, counts, signatures) WITH ORDINALITY AS rows (w, l, c, u, s, n)
  ON CONFLICT (brand_id, wording) DO UPDATE SET leader = excluded.leader, cluster = excluded.cluster;
END $$
"""
_FORGET = f"""
CREATE FUNCTION parvis.forget_wordings(brand uuid, wordings uuid[]) RETURNS void{_WRITES}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  DELETE FROM mention_bands w WHERE w.brand_id = brand AND w.wording = ANY (wordings);
END $$
"""
_FUNCTIONS = {
    "leading_wordings(uuid, bigint[], int)": _LEADING,
    "following_wordings(uuid, bigint[])": _FOLLOWING,
    "wordings_behind(uuid, uuid[])": _FOLLOWERS,
    "use_wordings(uuid, uuid[], int[])": _USE,
    "index_wordings(uuid, uuid[], uuid[], uuid[], int[], bytea[], bigint[])": _INDEX,
    "forget_wordings(uuid, uuid[])": _FORGET,
}


def upgrade() -> None:
    op.add_column("mention", sa.Column("wording", sa.Uuid(), nullable=True))
    op.add_column("mention", sa.Column("cluster", sa.Uuid(), nullable=True))
    op.add_column("mention", sa.Column("is_copy", sa.Boolean(), server_default="false", nullable=False))
    op.create_index(
        "ix_mention_cluster",
        "mention",
        ["brand_id", "cluster", "is_copy", "published_at", "key"],
        postgresql_where=sa.text("cluster IS NOT NULL"),
    )
    op.execute(_TABLE)
    for index in _INDEXES.split(";"):
        op.execute(index)
    for name, function in _FUNCTIONS.items():
        op.execute(function.replace(":", r"\:"))
        op.execute(f"REVOKE ALL ON FUNCTION parvis.{name} FROM public")
        # The api too: a person's word on a mention whose wording was never told brings it in, in that transaction.
        op.execute(f"GRANT EXECUTE ON FUNCTION parvis.{name} TO parvis_app, parvis_worker")


def downgrade() -> None:
    raise RuntimeError("which mentions are copies would be lost: restore a backup instead")
