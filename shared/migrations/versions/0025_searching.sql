-- The words as each language's index knows them (simple, French, Dutch, German, English), and all of them together: each
-- reading once, since a word that no language stems is the same in all, and was looked up five times.
CREATE OR REPLACE FUNCTION parvis.search_readings(words text) RETURNS tsquery[]
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  simple tsquery := parvis.search_reading('simple', words);
  others tsquery[] := ARRAY[parvis.search_reading('french', words), parvis.search_reading('dutch', words),
                            parvis.search_reading('german', words), parvis.search_reading('english', words)];
  together tsquery := simple;
  reading tsquery;
BEGIN
  FOR reading IN SELECT DISTINCT it FROM unnest(others) it WHERE it <> simple LOOP
    together := together || reading;
  END LOOP;
  RETURN simple || others || together;
END $$;

-- `search_mentions` finds what it found; it asks for it better. A row's reading is chosen by its language's name, without a
-- function called for each row. And what the planner expects of that choice differs by window: in the first, half of the
-- rows, so that of a frequent word it may walk the newest rows until the page is full; in the later ones next to none, so
-- that it takes the word's own rows from the index, where a walk might go through years for two frequent words that
-- never meet.
CREATE OR REPLACE FUNCTION parvis.search_mentions(words text, since timestamptz, until timestamptz,
                                                  before_at timestamptz, before_id uuid, most int,
                                                  ranked boolean DEFAULT false)
RETURNS TABLE (brand_id uuid, mention_id uuid, published_at timestamptz, score bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid;
  read tsquery[] := parvis.search_readings(words);
  simple tsquery := read[1];
  french tsquery := read[2];
  dutch tsquery := read[3];
  german tsquery := read[4];
  english tsquery := read[5];
  readings tsquery := read[6];
  top timestamptz;
  bottom timestamptz;
  width interval;
  found int;
  step int;
  is_first boolean;
BEGIN
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

-- The same, oldest first, from a place on. A window begins at a mention, whatever it says, so that years of silence cost
-- nothing, and is wider than the last only where that held nothing.
CREATE OR REPLACE FUNCTION parvis.search_oldest(words text, since timestamptz, until timestamptz,
                                                after_at timestamptz, after_id uuid, most int)
RETURNS TABLE (brand_id uuid, mention_id uuid, published_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid;
  read tsquery[] := parvis.search_readings(words);
  readings tsquery := read[6];
  latest timestamptz := least(coalesce(until, 'infinity'), now() + interval '1 day');
  bottom timestamptz;
  top timestamptz;
  width interval;
  found int;
  step int;
BEGIN
  IF numnode(readings) = 0 THEN RETURN; END IF;
  FOREACH b IN ARRAY coalesce(parvis.seen_brands(), '{}') LOOP
    SELECT s.published_at INTO bottom FROM mention_search s
     WHERE s.brand_id = b AND s.published_at >= greatest(coalesce(since, '-infinity'), coalesce(after_at, '-infinity'))
     ORDER BY s.published_at LIMIT 1;
    width := interval '14 days';
    found := 0;
    WHILE bottom < latest AND found < most LOOP
      top := least(bottom + width, latest);
      RETURN QUERY
        SELECT s.brand_id, s.mention_id, s.published_at FROM mention_search s
         WHERE s.brand_id = b AND s.tsv @@ readings AND s.published_at >= bottom AND s.published_at < top
           AND s.tsv @@ CASE s.language WHEN 'fr' THEN read[2] WHEN 'nl' THEN read[3] WHEN 'de' THEN read[4]
                          WHEN 'en' THEN read[5] ELSE read[1] END
           AND (after_id IS NULL OR after_at IS NULL OR (s.published_at, s.mention_id) > (after_at, after_id))
         ORDER BY s.published_at, s.mention_id LIMIT most - found;
      GET DIAGNOSTICS step = ROW_COUNT;
      found := found + step;
      IF step = 0 THEN width := width * 4; END IF;
      SELECT s.published_at INTO bottom FROM mention_search s
       WHERE s.brand_id = b AND s.published_at >= top ORDER BY s.published_at LIMIT 1;
    END LOOP;
  END LOOP;
END $$;
