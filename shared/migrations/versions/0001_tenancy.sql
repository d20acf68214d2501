-- Tenancy: who sees which rows. Content tables show the brands that the transaction has asked for, and no others.

-- ---------------------------------------------------------------- the scope

-- The uuid behind a TypeID such as brand_01h2xcejqtf2nbrexx3vqjhp41, or a uuid as it is.
CREATE FUNCTION parvis.uuid_of(id text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  suffix text := lower(substring(id FROM '[^_]*$'));
  bits text := '';
  place int;
BEGIN
  IF length(suffix) <> 26 THEN RETURN id::uuid; END IF;
  FOR i IN 1..26 LOOP
    place := position(substr(suffix, i, 1) IN '0123456789abcdefghjkmnpqrstvwxyz') - 1;
    IF place < 0 THEN RAISE EXCEPTION 'not an id: %', id USING ERRCODE = '22P02'; END IF;
    bits := bits || place::bit(5)::text;
  END LOOP;
  RETURN (SELECT string_agg(to_hex(substr(bits, 3 + 4 * n, 4)::bit(4)::int), '' ORDER BY n)
          FROM generate_series(0, 31) AS n)::uuid;
END $$;

-- SET LOCAL by EXECUTE, because set_config() does not reach a cluster's workers.
CREATE FUNCTION parvis.scope(brands text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  found text := '';
  item text;
BEGIN
  FOREACH item IN ARRAY string_to_array(btrim(coalesce(brands, ''), '{} '), ',') LOOP
    found := found || CASE found WHEN '' THEN '' ELSE ',' END || parvis.uuid_of(btrim(item, ' "'))::text;
  END LOOP;
  EXECUTE format('SET LOCAL parvis.brands = %L', found);
END $$;

CREATE FUNCTION parvis.scope(brands uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('SET LOCAL parvis.brands = %L', array_to_string(brands, ',')); END $$;

CREATE FUNCTION parvis.scope(brands text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN PERFORM parvis.scope(array_to_string(brands, ',')); END $$;

-- Inlined into index conditions: no SET clause, no sub-select. Without nullif, the second transaction on a
-- connection finds '' instead of nothing and raises.
CREATE FUNCTION parvis.seen_brands() RETURNS uuid[] LANGUAGE sql STABLE AS $$
  SELECT string_to_array(nullif(current_setting('parvis.brands', true), ''), ',')::uuid[]
$$;
CREATE FUNCTION parvis.seen_organization() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('parvis.organization', true), '')::uuid
$$;
CREATE FUNCTION parvis.seen_user() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('parvis.acting_user', true), '')::uuid
$$;

-- The principal behind an API key's hash. Sets its organization and user for the transaction; the brands are the
-- caller's to ask for.
CREATE FUNCTION parvis.enter(key_hash bytea)
RETURNS TABLE (key_id uuid, user_id uuid, organization_id uuid, scopes text[], key_brand_id uuid,
               brands uuid[], roles text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE k api_key;
BEGIN
  SELECT a.* INTO k FROM api_key a
    JOIN membership m ON m.organization_id = a.organization_id AND m.user_id = a.user_id
   WHERE a.hash = key_hash AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now());
  IF NOT FOUND THEN RETURN; END IF;
  EXECUTE format('SET LOCAL parvis.organization = %L', k.organization_id);
  EXECUTE format('SET LOCAL parvis.acting_user = %L', k.user_id);
  RETURN QUERY
    SELECT k.id, k.user_id, k.organization_id, k.scopes, k.brand_id,
           coalesce(array_agg(g.brand_id ORDER BY g.brand_id) FILTER (WHERE g.brand_id IS NOT NULL), '{}'),
           coalesce(array_agg(g.role::text ORDER BY g.brand_id) FILTER (WHERE g.brand_id IS NOT NULL), '{}')
      FROM (SELECT 1) one
      LEFT JOIN "grant" g ON g.organization_id = k.organization_id AND (k.brand_id IS NULL OR g.brand_id = k.brand_id);
END $$;

-- Remember that a key was used, to the minute.
CREATE FUNCTION parvis.touch_key(key_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE api_key SET last_used_at = now()
   WHERE id = key_id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
$$;

-- Idempotency keys hold answers, so the worker's role does not read them; it may only let old ones go.
CREATE FUNCTION parvis.forget_idempotency_keys(older_than interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM idempotency_key WHERE created_at < now() - older_than RETURNING 1)
  SELECT count(*) FROM gone
$$;

-- ---------------------------------------------------------------- search, beside the content

CREATE TABLE mention_search (
  brand_id uuid NOT NULL,
  mention_id uuid NOT NULL,
  published_at timestamptz NOT NULL,
  language text,
  tsv tsvector NOT NULL,
  PRIMARY KEY (brand_id, mention_id, published_at)
) PARTITION BY RANGE (published_at);
CREATE INDEX ix_mention_search_tsv ON mention_search USING gin (brand_id, tsv);
CREATE INDEX ix_mention_search_newest ON mention_search (brand_id, published_at, mention_id);
CREATE TABLE mention_search_other PARTITION OF mention_search DEFAULT;

-- Months from 24 back to 3 ahead; older times go to the default partition. Safe to call at any time.
CREATE FUNCTION parvis.ensure_partitions() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date;
  name text;
  made int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('parvis partitions'));
  FOR month IN SELECT generate_series(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months',
                                      date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months',
                                      interval '1 month')::date
  LOOP
    name := 'mention_search_' || to_char(month, 'YYYYMM');
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    -- Rows that wait in the default partition move into their month.
    EXECUTE format('CREATE TABLE %I (LIKE mention_search INCLUDING DEFAULTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM mention_search_other WHERE published_at >= %L AND published_at < %L
                                   RETURNING *) INSERT INTO %I SELECT * FROM moved ON CONFLICT DO NOTHING',
                   month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00', name);
    EXECUTE format('ALTER TABLE mention_search ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                   month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

CREATE FUNCTION parvis.search_config(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE language WHEN 'fr' THEN 'french' WHEN 'nl' THEN 'dutch' WHEN 'de' THEN 'german'
                       WHEN 'en' THEN 'english' ELSE 'simple' END::regconfig
$$;

CREATE FUNCTION parvis.refuse_unseen(brand uuid) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF brand IS NULL OR NOT brand = ANY (coalesce(parvis.seen_brands(), '{}')) THEN
    RAISE EXCEPTION 'the brand is outside this transaction''s scope' USING ERRCODE = '42501';
  END IF;
END $$;

CREATE FUNCTION parvis.index_mentions(brand uuid, ids uuid[], times timestamptz[], languages text[], texts text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  INSERT INTO mention_search (brand_id, mention_id, published_at, language, tsv)
  SELECT brand, i, t, l, to_tsvector(parvis.search_config(l), x)
    FROM unnest(ids, times, languages, texts) AS rows (i, t, l, x)
  ON CONFLICT (brand_id, mention_id, published_at)
  DO UPDATE SET language = excluded.language, tsv = excluded.tsv;
END $$;

CREATE FUNCTION parvis.forget_mentions(brand uuid, ids uuid[], times timestamptz[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  PERFORM parvis.refuse_unseen(brand);
  DELETE FROM mention_search s USING unnest(ids, times) AS gone (i, t)
   WHERE s.brand_id = brand AND s.mention_id = gone.i AND s.published_at = gone.t;
END $$;

-- Ids of the seen brands' mentions that match, newest first, in windows that grow until the page is full.
CREATE FUNCTION parvis.search_mentions(words text, since timestamptz, until timestamptz,
                                       before_at timestamptz, before_id uuid, most int)
RETURNS TABLE (brand_id uuid, mention_id uuid, published_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  b uuid;
  wanted tsquery := websearch_to_tsquery('simple', words) || websearch_to_tsquery('french', words)
    || websearch_to_tsquery('dutch', words) || websearch_to_tsquery('german', words)
    || websearch_to_tsquery('english', words);
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
         WHERE s.brand_id = b AND s.tsv @@ wanted AND s.published_at >= bottom
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
END $$;

-- ---------------------------------------------------------------- platform tables: each its own policy

ALTER TABLE organization ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON organization TO parvis_app USING (id = parvis.seen_organization());
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON membership TO parvis_app USING (organization_id = parvis.seen_organization());
ALTER TABLE "user" ENABLE ROW LEVEL SECURITY;
CREATE POLICY colleagues ON "user" TO parvis_app USING (id = parvis.seen_user() OR EXISTS (
  SELECT FROM membership m WHERE m.user_id = "user".id AND m.organization_id = parvis.seen_organization()));
ALTER TABLE team ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team TO parvis_app USING (organization_id = parvis.seen_organization());
ALTER TABLE team_member ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team_member TO parvis_app USING (EXISTS (
  SELECT FROM team t WHERE t.id = team_member.team_id AND t.organization_id = parvis.seen_organization()));
ALTER TABLE "grant" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "grant" TO parvis_app
  USING (organization_id = parvis.seen_organization() OR brand_id = ANY (parvis.seen_brands()));
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON api_key TO parvis_app USING (organization_id = parvis.seen_organization());
ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON audit_entry TO parvis_app, parvis_worker
  USING (organization_id = parvis.seen_organization() OR brand_id = ANY (parvis.seen_brands()));
ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON idempotency_key TO parvis_app USING (principal_id = parvis.seen_user());
ALTER TABLE app ENABLE ROW LEVEL SECURITY;
ALTER TABLE lease ENABLE ROW LEVEL SECURITY;
CREATE POLICY claims ON lease TO parvis_worker USING (true);
ALTER TABLE hook ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON hook TO parvis_app USING (brand_id = ANY (parvis.seen_brands()));
CREATE POLICY routes ON hook FOR SELECT TO parvis_door, parvis_worker USING (true);

-- ---------------------------------------------------------------- queues: ids and times, claimed across brands

ALTER TABLE arrival ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON arrival TO parvis_app USING (brand_id = ANY (parvis.seen_brands()));
CREATE POLICY claims ON arrival TO parvis_worker USING (true);
CREATE POLICY receives ON arrival FOR INSERT TO parvis_door WITH CHECK (true);
CREATE POLICY repeats ON arrival FOR SELECT TO parvis_door USING (true);
ALTER TABLE due_poll ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON due_poll TO parvis_app USING (brand_id = ANY (parvis.seen_brands()));
CREATE POLICY claims ON due_poll TO parvis_worker USING (true);
ALTER TABLE due_outgoing ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON due_outgoing TO parvis_app USING (brand_id = ANY (parvis.seen_brands()));
CREATE POLICY claims ON due_outgoing TO parvis_worker USING (true);
ALTER TABLE event_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON event_queue TO parvis_app USING (brand_id = ANY (parvis.seen_brands()));
CREATE POLICY claims ON event_queue TO parvis_worker USING (true);

-- ---------------------------------------------------------------- grants

REVOKE ALL ON SCHEMA public FROM public;
GRANT USAGE ON SCHEMA public, parvis TO parvis_app, parvis_worker, parvis_door;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA parvis FROM public;
GRANT EXECUTE ON FUNCTION parvis.uuid_of(text), parvis.scope(text), parvis.scope(uuid[]), parvis.scope(text[]),
  parvis.seen_brands(), parvis.seen_organization(), parvis.seen_user(), parvis.refuse_unseen(uuid)
  TO parvis_app, parvis_worker, parvis_door;
GRANT EXECUTE ON FUNCTION parvis.enter(bytea), parvis.touch_key(uuid) TO parvis_app;
GRANT EXECUTE ON FUNCTION
  parvis.search_mentions(text, timestamptz, timestamptz, timestamptz, uuid, int), parvis.search_config(text)
  TO parvis_app, parvis_worker;
GRANT EXECUTE ON FUNCTION parvis.ensure_partitions(), parvis.forget_idempotency_keys(interval),
  parvis.index_mentions(uuid, uuid[], timestamptz[], text[], text[]),
  parvis.forget_mentions(uuid, uuid[], timestamptz[]) TO parvis_worker;

GRANT SELECT ON organization, membership, "user", team, team_member, "grant", api_key TO parvis_app;
GRANT SELECT, INSERT ON audit_entry TO parvis_app, parvis_worker;
GRANT SELECT, INSERT, UPDATE (answer) ON idempotency_key TO parvis_app;
GRANT SELECT, INSERT, UPDATE ON hook TO parvis_app;
GRANT SELECT ON hook TO parvis_door;
GRANT SELECT (id, network, brand_id, channel_id, app_id, external_id, key_digests, removed_at) ON hook TO parvis_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON lease TO parvis_worker;
GRANT SELECT, UPDATE ON arrival TO parvis_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON arrival TO parvis_worker;
GRANT INSERT ON arrival TO parvis_door;
GRANT SELECT (id, hook_id, key) ON arrival TO parvis_door;
GRANT SELECT, INSERT, UPDATE, DELETE ON due_poll, due_outgoing TO parvis_app, parvis_worker;
GRANT INSERT ON event_queue TO parvis_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_queue TO parvis_worker;
