"""Full text search as one would write it: one GIN index over the vectors of all mentions, behind the same lock.

It has the same vectors and the same readings of what is searched for, in a table that is not cut into months. Best
first ranks everything that matches.
"""

from typing import Any
from uuid import UUID

import asyncpg

_TABLE = """
CREATE TABLE flat_search (
  brand_id uuid NOT NULL, mention_id uuid NOT NULL, published_at timestamptz NOT NULL, language text,
  tsv tsvector NOT NULL);
INSERT INTO flat_search SELECT brand_id, mention_id, published_at, language, tsv FROM mention_search;
ALTER TABLE flat_search ADD PRIMARY KEY (brand_id, mention_id);
CREATE INDEX ix_flat_search_newest ON flat_search (brand_id, published_at, mention_id);
CREATE INDEX ix_flat_search_tsv ON flat_search USING gin (brand_id, tsv);
"""
_SEARCH = """
CREATE FUNCTION parvis.flat_search(words text, best boolean, most int)
RETURNS TABLE (mention_id uuid, published_at timestamptz, score bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid := (parvis.seen_brands())[1];
  simple tsquery := parvis.search_reading('simple', words);
  french tsquery := parvis.search_reading('french', words);
  dutch tsquery := parvis.search_reading('dutch', words);
  german tsquery := parvis.search_reading('german', words);
  english tsquery := parvis.search_reading('english', words);
  readings tsquery := (parvis.search_readings(words))[6];
BEGIN
  IF NOT best THEN
    RETURN QUERY
      SELECT s.mention_id, s.published_at, 0::bigint FROM flat_search s
       WHERE s.brand_id = b AND s.tsv @@ readings
         AND s.tsv @@ CASE s.language WHEN 'fr' THEN french WHEN 'nl' THEN dutch WHEN 'de' THEN german
                                      WHEN 'en' THEN english ELSE simple END
       ORDER BY s.published_at DESC, s.mention_id DESC LIMIT most;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT f.mention_id, f.published_at, round(1000 * (
             ln(greatest(ts_rank_cd(f.tsv, f.reading, 1), 1e-6)::float8) / ln(2::float8)
             + extract(epoch FROM f.published_at)::float8 / 2592000))::bigint AS score
      FROM (SELECT s.mention_id, s.published_at, s.tsv,
                   CASE s.language WHEN 'fr' THEN french WHEN 'nl' THEN dutch WHEN 'de' THEN german
                                   WHEN 'en' THEN english ELSE simple END AS reading
              FROM flat_search s WHERE s.brand_id = b AND s.tsv @@ readings) f
     WHERE f.tsv @@ f.reading
     ORDER BY 3 DESC, 2 DESC, 1 DESC LIMIT most;
END $$
"""
_PAGE = """
SELECT m.* FROM parvis.flat_search($2, $3, $4) f
  JOIN mention m ON m.brand_id = $1 AND m.id = f.mention_id AND m.heard AND m.deleted_at IS NULL
 ORDER BY f.score DESC, f.published_at DESC, f.mention_id DESC
"""


async def make(connection: "asyncpg.Connection[Any]") -> None:
    """The table, its indexes and the function, by the owner."""
    await connection.execute("SET maintenance_work_mem = '512MB'; SET statement_timeout = 0")
    for statement in _TABLE.split(";\n")[:-1]:
        await connection.execute(statement)
    await connection.execute(_SEARCH)
    await connection.execute("REVOKE ALL ON FUNCTION parvis.flat_search(text, boolean, int) FROM public")
    await connection.execute("GRANT EXECUTE ON FUNCTION parvis.flat_search(text, boolean, int) TO parvis_app")
    await connection.execute("VACUUM ANALYZE flat_search")


async def page(
    connection: "asyncpg.Connection[Any]", brand_id: UUID, words: str, *, best: bool, size: int
) -> list[UUID]:
    """The first page, whole rows under row security, in a transaction with the brand's scope; their ids."""
    async with connection.transaction(readonly=True):
        await connection.execute("SELECT parvis.scope($1::text)", str(brand_id))
        return [row["id"] for row in await connection.fetch(_PAGE, brand_id, words, best, size)]
