-- Stems lose their accents after stemming, which needs them (`achetée`); where there were any, the bare word is stemmed
-- too and stands in the same place, so that whoever writes no accents at all is found and finds.
CREATE FUNCTION parvis.search_vector(config regconfig, said text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  words text := parvis.search_words(said);
  bare text := parvis.search_fold(words);
BEGIN
  IF bare = words THEN RETURN to_tsvector(config, words); END IF;
  RETURN (parvis.search_fold(to_tsvector(config, words)::text) || ' ' || to_tsvector(config, bare)::text)::tsvector;
END $$;

CREATE OR REPLACE FUNCTION parvis.index_mentions(brand uuid, ids uuid[], times timestamptz[], languages text[],
                                                 texts text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  INSERT INTO mention_search (brand_id, mention_id, published_at, language, tsv)
  SELECT brand, i, t, l, parvis.search_vector(parvis.search_config(l), x)
    FROM unnest(ids, times, languages, texts) AS rows (i, t, l, x)
  ON CONFLICT (brand_id, mention_id, published_at)
  DO UPDATE SET language = excluded.language, tsv = excluded.tsv;
END $$;

-- What somebody writes into a search: words, "phrases", `-without`, `begin*`, and `or` between alternatives. An `or`
-- with nothing on one side is a word (in French, gold). An elided article says nothing: `l'orange` is `orange`.
CREATE FUNCTION parvis.search_terms(words text)
RETURNS TABLE (alternative int, is_excluded boolean, is_beginning boolean, term text)
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  found text[];
  is_open boolean := false;
BEGIN
  alternative := 0;
  FOR found IN SELECT regexp_matches(words, '(-?)(?:"([^"]*)(?:"|$)|([^\s"]+))', 'g') LOOP
    IF found[1] = '' AND lower(found[3]) = 'or' AND term IS NOT NULL AND NOT is_open THEN
      is_open := true;
      CONTINUE;
    END IF;
    alternative := alternative + is_open::int;
    is_open := false;
    is_excluded := found[1] = '-';
    is_beginning := coalesce(found[3] ~ '^[^*]{2,}[*]$', false);
    term := coalesce(found[2], regexp_replace(found[3], '^([cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[''’ʼ](?=\w\w)',
                                              '', 'i'));
    RETURN NEXT;
  END LOOP;
  IF is_open THEN
    is_excluded := false;
    is_beginning := false;
    term := 'or';
    RETURN NEXT;
  END IF;
END $$;

CREATE FUNCTION parvis.search_term(config regconfig, term text, is_beginning boolean) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  words text := parvis.search_words(term);
  bare text := parvis.search_fold(words);
  wanted tsquery := parvis.search_fold(phraseto_tsquery(config, words)::text)::tsquery;
  beginning tsquery;
BEGIN
  IF bare <> words THEN wanted := wanted || phraseto_tsquery(config, bare); END IF;
  IF is_beginning THEN
    beginning := phraseto_tsquery('simple', bare);
    IF numnode(beginning) = 1 THEN wanted := wanted || (beginning::text || ':*')::tsquery; END IF;
  END IF;
  RETURN wanted;
END $$;

CREATE FUNCTION parvis.search_reading(config regconfig, words text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  one record;
  wanted tsquery;
  together tsquery := '';
  every tsquery := '';
  alternative int := 0;
BEGIN
  FOR one IN SELECT * FROM parvis.search_terms(words) LOOP
    IF one.alternative <> alternative THEN
      every := every || together;
      together := '';
      alternative := one.alternative;
    END IF;
    wanted := parvis.search_term(config, one.term, one.is_beginning);
    CONTINUE WHEN numnode(wanted) = 0;
    together := together && CASE WHEN one.is_excluded THEN !! wanted ELSE wanted END;
  END LOOP;
  RETURN every || together;
END $$;

-- As before, but for `ranked`: how good each of them is, in thousandths of a doubling. A month doubles as well, so the
-- number of a mention says the same at any time, and pages of it do not shift. Only what is returned is ranked.
CREATE FUNCTION parvis.search_mentions(words text, since timestamptz, until timestamptz,
                                       before_at timestamptz, before_id uuid, most int, ranked boolean DEFAULT false)
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
  readings tsquery := simple || french || dutch || german || english;
  top timestamptz;
  bottom timestamptz;
  width interval;
  found int;
  step int;
BEGIN
  IF numnode(readings) = 0 THEN RETURN; END IF;
  FOREACH b IN ARRAY coalesce(parvis.seen_brands(), '{}') LOOP
    top := least(coalesce(before_at, 'infinity'), coalesce(until, 'infinity'), now() + interval '1 day');
    width := interval '14 days';
    found := 0;
    LOOP
      bottom := greatest(top - width, coalesce(since, '-infinity'));
      IF width > interval '8 years' THEN bottom := coalesce(since, '-infinity'); END IF;
      RETURN QUERY
        SELECT f.brand_id, f.mention_id, f.published_at,
               CASE WHEN ranked THEN round(1000 * (
                 ln(greatest(ts_rank_cd(f.tsv, f.reading, 1), 1e-6)::float8) / ln(2::float8)
                 + extract(epoch FROM f.published_at)::float8 / 2592000))::bigint END
          FROM (
            SELECT s.brand_id, s.mention_id, s.published_at, s.tsv,
                   CASE parvis.search_config(s.language)
                     WHEN 'french'::regconfig THEN french WHEN 'dutch'::regconfig THEN dutch
                     WHEN 'german'::regconfig THEN german WHEN 'english'::regconfig THEN english
                     ELSE simple END AS reading
              FROM mention_search s
             WHERE s.brand_id = b AND s.tsv @@ readings AND s.published_at >= bottom
               AND s.tsv @@ CASE parvis.search_config(s.language)
                              WHEN 'french'::regconfig THEN french WHEN 'dutch'::regconfig THEN dutch
                              WHEN 'german'::regconfig THEN german WHEN 'english'::regconfig THEN english
                              ELSE simple END
               AND (s.published_at < top OR (s.published_at = top AND before_at IS NOT DISTINCT FROM top))
               AND (until IS NULL OR s.published_at < until)
               AND (before_id IS NULL OR before_at IS NULL OR (s.published_at, s.mention_id) < (before_at, before_id))
             ORDER BY s.published_at DESC, s.mention_id DESC LIMIT most - found
          ) f ORDER BY f.published_at DESC, f.mention_id DESC;
      GET DIAGNOSTICS step = ROW_COUNT;
      found := found + step;
      EXIT WHEN found >= most OR bottom = '-infinity' OR bottom <= coalesce(since, '-infinity');
      top := bottom;
      width := width * 4;
    END LOOP;
  END LOOP;
END $$;

-- Where in a text the words of a search are: [start, end) in code points, the first hundred. A term counts where its
-- alternative matches. Position n of a vector is the nth word of the text; those that PostgreSQL counts no further
-- (16,383) say nothing.
CREATE FUNCTION parvis.found_spans(words text, language text, body text) RETURNS int[]
LANGUAGE plpgsql IMMUTABLE STRICT SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  config regconfig := parvis.search_config(language);
  said text := left(body, 20000);
  vector tsvector := parvis.search_vector(config, said);
BEGIN
  RETURN (
    WITH terms AS MATERIALIZED (
      SELECT row_number() OVER () AS n, t.*, parvis.search_term(config, t.term, t.is_beginning) AS wanted
        FROM parvis.search_terms(words) t),
    told AS MATERIALIZED (
      SELECT t.* FROM terms t WHERE NOT t.is_excluded AND t.alternative IN (
        SELECT alternative FROM terms WHERE numnode(wanted) > 0
         GROUP BY alternative HAVING bool_and((vector @@ wanted) <> is_excluded))),
    patterns AS MATERIALIZED (
      SELECT t.n, v.variant, l.lexeme, at FROM told t,
             LATERAL (VALUES (1, parvis.search_fold(to_tsvector(config, parvis.search_words(t.term))::text)::tsvector),
                             (2, to_tsvector(config, parvis.search_fold(parvis.search_words(t.term)))))
               AS v (variant, vector),
             LATERAL unnest(v.vector) l, LATERAL unnest(l.positions) at),
    sizes AS (SELECT n, variant, count(*) AS size, min(at) AS low, max(at) AS high FROM patterns GROUP BY n, variant),
    places AS MATERIALIZED (
      SELECT l.lexeme, at FROM unnest(vector) l, unnest(l.positions) at WHERE at < 16383),
    found AS (
      SELECT b.base + s.low AS first, b.base + s.high AS last
        FROM (SELECT p.n, p.variant, l.at - p.at AS base, count(*) AS size
                FROM patterns p JOIN places l USING (lexeme) GROUP BY p.n, p.variant, base) b
        JOIN sizes s USING (n, variant, size)
      UNION
      SELECT l.at, l.at FROM told t JOIN places l
          ON t.is_beginning
         AND starts_with(l.lexeme, trim(lower(parvis.search_fold(parvis.search_words(t.term)))))),
    tokens AS (
      SELECT n, kind, token, sum(length(token)) OVER (ORDER BY n) AS stop
        FROM ts_parse('default', parvis.search_words(said)) WITH ORDINALITY AS t (kind, token, n)),
    counted AS MATERIALIZED (
      SELECT row_number() OVER (ORDER BY n) AS at, (stop - length(token))::int AS start, stop::int
        FROM tokens WHERE kind <> 12 AND octet_length(token) < 2048),
    spans AS (
      SELECT unnest(range_agg(int4range(a.start, z.stop))) AS span
        FROM found f JOIN counted a ON a.at = f.first JOIN counted z ON z.at = f.last)
    SELECT coalesce(array_agg(ARRAY[lower(span), upper(span)] ORDER BY span), '{}')
      FROM (SELECT span FROM spans ORDER BY span LIMIT 100) s
  );
END $$;
