-- `search_mentions` finds what it found; it asks for it better. `readings` holds each reading once (a word that no language
-- stems is the same in all of them, and was looked up five times). A row's reading is chosen by its language's name,
-- without a function called for each row. And what the planner expects of that choice differs by window: in the first,
-- half of the rows, so that of a frequent word it may walk the newest rows until the page is full; in the later ones
-- next to none, so that it takes the word's own rows from the index, where a walk might go through years for two
-- frequent words that never meet.
CREATE OR REPLACE FUNCTION parvis.search_mentions(words text, since timestamptz, until timestamptz,
                                                  before_at timestamptz, before_id uuid, most int,
                                                  ranked boolean DEFAULT false)
RETURNS TABLE (brand_id uuid, mention_id uuid, published_at timestamptz, score bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid;
  simple tsquery := parvis.search_reading('simple', words);
  french tsquery := parvis.search_reading('french', words);
  dutch tsquery := parvis.search_reading('dutch', words);
  german tsquery := parvis.search_reading('german', words);
  english tsquery := parvis.search_reading('english', words);
  readings tsquery := simple;
  reading tsquery;
  top timestamptz;
  bottom timestamptz;
  width interval;
  found int;
  step int;
  is_first boolean;
BEGIN
  FOR reading IN SELECT DISTINCT it FROM unnest(ARRAY[french, dutch, german, english]) it WHERE it <> simple LOOP
    readings := readings || reading;
  END LOOP;
  IF numnode(readings) = 0 THEN RETURN; END IF;
  FOREACH b IN ARRAY coalesce(parvis.seen_brands(), '{}') LOOP
    top := least(coalesce(before_at, 'infinity'), coalesce(until, 'infinity'), now() + interval '1 day');
    width := interval '14 days';
    found := 0;
    is_first := true;
    LOOP
      bottom := greatest(top - width, coalesce(since, '-infinity'));
      IF width > interval '8 years' THEN bottom := coalesce(since, '-infinity'); END IF;
      RETURN QUERY
        SELECT f.brand_id, f.mention_id, f.published_at,
               CASE WHEN ranked THEN round(1000 * (
                 ln(greatest(ts_rank_cd(f.tsv, f.wanted, 1), 1e-6)::float8) / ln(2::float8)
                 + extract(epoch FROM f.published_at)::float8 / 2592000))::bigint END
          FROM (
            SELECT s.brand_id, s.mention_id, s.published_at, s.tsv,
                   CASE s.language WHEN 'fr' THEN french WHEN 'nl' THEN dutch WHEN 'de' THEN german
                     WHEN 'en' THEN english ELSE simple END AS wanted
              FROM mention_search s
             WHERE s.brand_id = b AND s.tsv @@ readings AND s.published_at >= bottom
               AND (NOT is_first OR CASE s.language WHEN 'fr' THEN s.tsv @@ french WHEN 'nl' THEN s.tsv @@ dutch
                      WHEN 'de' THEN s.tsv @@ german WHEN 'en' THEN s.tsv @@ english ELSE s.tsv @@ simple END)
               AND (is_first OR s.tsv @@ CASE s.language WHEN 'fr' THEN french WHEN 'nl' THEN dutch
                      WHEN 'de' THEN german WHEN 'en' THEN english ELSE simple END)
               AND (s.published_at < top OR (s.published_at = top AND before_at IS NOT DISTINCT FROM top))
               AND (until IS NULL OR s.published_at < until)
               AND (before_id IS NULL OR before_at IS NULL OR (s.published_at, s.mention_id) < (before_at, before_id))
             ORDER BY s.published_at DESC, s.mention_id DESC LIMIT most - found
          ) f ORDER BY f.published_at DESC, f.mention_id DESC;
      GET DIAGNOSTICS step = ROW_COUNT;
      found := found + step;
      EXIT WHEN found >= most OR bottom = '-infinity' OR bottom <= coalesce(since, '-infinity');
      top := bottom;
      is_first := false;
      width := width * 4;
    END LOOP;
  END LOOP;
END $$;
