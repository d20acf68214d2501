"""Copies: what is said in the same words, or nearly, is of one cluster; wordings are found by the bands of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# One row for each wording of a brand, however many mentions are worded so. `wording` leads its family, or follows
# `leader`; `uses` are its mentions. Those that lead are found by themselves: few of them are alike. The bands are salted
# with the brand, whose other wordings an index of brands and bands would have to go through.
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
CREATE INDEX ix_mention_bands_leading ON mention_bands USING gin (bands) WITH (fastupdate = off)
  WHERE leader = wording;
CREATE INDEX ix_mention_bands_following ON mention_bands USING gin (bands) WITH (fastupdate = off)
  WHERE leader <> wording;
CREATE INDEX ix_mention_bands_leader ON mention_bands (brand_id, leader) WHERE leader <> wording
"""
_ROW = "wording uuid, leader uuid, cluster uuid, uses int, signature bytea"
# By the indexes, whatever PostgreSQL knows of tables that grow from nothing to a million rows between two looks at them.
# Wordings are looked up for each text by itself, always in the same way, and that is planned once.
_HEAD = """
LANGUAGE plpgsql {kind} SET search_path = public, pg_temp
SET plan_cache_mode = {plans} SET enable_seqscan = off AS $$
#variable_conflict use_column
"""
_READS = _HEAD.format(kind="STABLE SECURITY DEFINER", plans="force_generic_plan")
_WRITES = _HEAD.format(kind="SECURITY DEFINER", plans="force_generic_plan")

# `asked` holds the 16 bands of each text, one text after the other.
_LEADING = f"""
CREATE FUNCTION parvis.leading_wordings(brand uuid, asked bigint[], most int) RETURNS TABLE ({_ROW}){_READS}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  FOR i IN 0 .. cardinality(asked) / 16 - 1 LOOP
    RETURN QUERY WITH n AS MATERIALIZED (SELECT * FROM mention_bands w
        WHERE w.bands && asked[16 * i + 1 : 16 * i + 16] AND w.leader = w.wording)
      SELECT n.wording, n.leader, n.cluster, n.uses, n.signature FROM n
       WHERE n.brand_id = brand ORDER BY n.wording LIMIT most;
  END LOOP;
END $$
"""
_FOLLOWING = f"""
CREATE FUNCTION parvis.following_wordings(brand uuid, asked bigint[]) RETURNS TABLE ({_ROW}){_READS}
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  FOR i IN 0 .. cardinality(asked) / 16 - 1 LOOP
    RETURN QUERY WITH n AS MATERIALIZED (SELECT * FROM mention_bands w
        WHERE w.bands && asked[16 * i + 1 : 16 * i + 16] AND w.leader <> w.wording)
      SELECT n.wording, n.leader, n.cluster, n.uses, n.signature FROM n WHERE n.brand_id = brand;
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
  RETURN QUERY UPDATE mention_bands w SET uses = w.uses + more[array_position(wordings, w.wording)]
    WHERE w.brand_id = brand AND w.wording = ANY (wordings)
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


def _beside(is_copy: str) -> str:
    """The first two originals, or copies, from a place in a cluster on."""
    return (
        "(SELECT m.id, m.published_at, m.key, m.is_copy FROM mention m WHERE m.brand_id = brand"
        f" AND m.cluster = s.cluster AND {is_copy} AND (m.published_at, m.key) >= (s.at, s.key)"
        " ORDER BY m.published_at, m.key LIMIT 2)"
    )


def _follows(place: str) -> str:
    """Whether a copy, or an original, comes shortly before a place in its cluster."""
    found = (
        f"EXISTS (SELECT FROM mention p WHERE p.brand_id = brand AND p.cluster = {place}.cluster AND {is_copy}"
        f" AND p.published_at >= {place}.at - silence AND (p.published_at, p.key) < ({place}.at, {place}.key))"
        for is_copy in ("p.is_copy", "NOT p.is_copy")
    )
    return f"({' OR '.join(found)})"


# With the rights of who calls it, under row security. Whether a mention is a copy changes where one came or went, and for
# the one behind it: for nobody else.
_JUDGE = f"""
CREATE FUNCTION parvis.judge_copies(brand uuid, clusters uuid[], times timestamptz[], keys uuid[], silence interval)
RETURNS void{_HEAD.format(kind="", plans="force_custom_plan")}
DECLARE
  wrong uuid[];
BEGIN
  SELECT array_agg(n.id) INTO wrong FROM (
      SELECT DISTINCT b.id, b.published_at AS at, b.key, b.is_copy, s.cluster
        FROM unnest(clusters, times, keys) AS s (cluster, at, key),
             LATERAL ({_beside("NOT m.is_copy")} UNION ALL {_beside("m.is_copy")}) b) n
   WHERE n.is_copy <> {_follows("n")};
  UPDATE mention m SET is_copy = NOT m.is_copy WHERE m.brand_id = brand AND m.id = ANY (wrong);
END $$
"""
# Before they are written: what is written wrongly and put right leaves dead places in the index, of which all are passed.
_FORESEE = f"""
CREATE FUNCTION parvis.are_copies(brand uuid, clusters uuid[], times timestamptz[], keys uuid[], silence interval)
RETURNS boolean[]{_HEAD.format(kind="STABLE", plans="force_custom_plan")}
BEGIN
  RETURN ARRAY(SELECT {_follows("s")}
                 FROM unnest(clusters, times, keys) WITH ORDINALITY AS s (cluster, at, key, n) ORDER BY s.n);
END $$
"""
_FUNCTIONS = {
    "leading_wordings(uuid, bigint[], int)": _LEADING,
    "following_wordings(uuid, bigint[])": _FOLLOWING,
    "wordings_behind(uuid, uuid[])": _FOLLOWERS,
    "use_wordings(uuid, uuid[], int[])": _USE,
    "index_wordings(uuid, uuid[], uuid[], uuid[], int[], bytea[], bigint[])": _INDEX,
    "forget_wordings(uuid, uuid[])": _FORGET,
    "are_copies(uuid, uuid[], timestamptz[], uuid[], interval)": _FORESEE,
    "judge_copies(uuid, uuid[], timestamptz[], uuid[], interval)": _JUDGE,
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
