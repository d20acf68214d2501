"""Reading: a search excludes what it says in each mention's own language, and figures know how fresh they are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# `search_mentions` as it was, but for two things. `readings` are the words as each language's index knows them; a row
# has to match the reading of its own language. Any one of them matching is what the index is asked for, which lets in
# too much, never too little: under `lanternes -rouge` the simple reading forbids a `rouge` that French keeps as `roug`.
_SEARCH = """
CREATE OR REPLACE FUNCTION parvis.search_mentions(words text, since timestamptz, until timestamptz,
                                                  before_at timestamptz, before_id uuid, most int)
RETURNS TABLE (brand_id uuid, mention_id uuid, published_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid;
  simple tsquery := websearch_to_tsquery('simple', words);
  french tsquery := websearch_to_tsquery('french', words);
  dutch tsquery := websearch_to_tsquery('dutch', words);
  german tsquery := websearch_to_tsquery('german', words);
  english tsquery := websearch_to_tsquery('english', words);
  readings tsquery := simple || french || dutch || german || english;
  top timestamptz;
  bottom timestamptz;
  width interval;
  found int;
  step int;
BEGIN
  FOREACH b IN ARRAY coalesce(parvis.seen_brands(), '{}') LOOP
    top := least(coalesce(before_at, 'infinity'), coalesce(until, 'infinity'), now() + interval '1 day');
    width := interval '14 days';
    found := 0;
    LOOP
      bottom := greatest(top - width, coalesce(since, '-infinity'));
      IF width > interval '8 years' THEN bottom := coalesce(since, '-infinity'); END IF;
      RETURN QUERY
        SELECT s.brand_id, s.mention_id, s.published_at FROM mention_search s
         WHERE s.brand_id = b AND s.tsv @@ readings AND s.published_at >= bottom
           AND s.tsv @@ CASE parvis.search_config(s.language)
                          WHEN 'french'::regconfig THEN french WHEN 'dutch'::regconfig THEN dutch
                          WHEN 'german'::regconfig THEN german WHEN 'english'::regconfig THEN english
                          ELSE simple END
           AND (s.published_at < top OR (s.published_at = top AND before_at IS NOT DISTINCT FROM top))
           AND (until IS NULL OR s.published_at < until)
           AND (before_id IS NULL OR before_at IS NULL OR (s.published_at, s.mention_id) < (before_at, before_id))
         ORDER BY s.published_at DESC, s.mention_id DESC LIMIT most - found;
      GET DIAGNOSTICS step = ROW_COUNT;
      found := found + step;
      EXIT WHEN found >= most OR bottom = '-infinity' OR bottom <= coalesce(since, '-infinity');
      top := bottom;
      width := width * 4;
    END LOOP;
  END LOOP;
END $$
"""

# When the oldest arrival came that waits and is the brand's, or may be: a delivery to an app's hook belongs to nobody
# until it is cut, and is seen by nobody but the worker. Of another brand's it says nothing.
_WAITING = """
CREATE FUNCTION parvis.waiting_since(brand uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  shared uuid[] := ARRAY(SELECT a.id FROM hook a JOIN hook c ON c.network = a.network
                             AND (c.key_digests && a.key_digests OR c.through_app_id = a.app_id)
                          WHERE a.brand_id IS NULL AND c.brand_id = brand AND c.removed_at IS NULL);
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  RETURN (SELECT w.received_at FROM arrival w
           WHERE w.state = 'received' AND (w.brand_id = brand OR (w.brand_id IS NULL AND w.hook_id = ANY (shared)))
           ORDER BY w.received_at LIMIT 1);
END $$
"""


def upgrade() -> None:
    op.execute(_SEARCH.replace(":", r"\:"))
    op.execute(_WAITING.replace(":", r"\:"))
    op.execute("REVOKE ALL ON FUNCTION parvis.waiting_since(uuid) FROM public")
    op.execute("GRANT EXECUTE ON FUNCTION parvis.waiting_since(uuid) TO parvis_app")


def downgrade() -> None:
    raise RuntimeError("a search that does not exclude is not brought back: restore a backup instead")
