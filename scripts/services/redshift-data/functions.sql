-- Functions of Redshift that PostgreSQL lacks, or has with another meaning; translate.mjs says which are called by another name.
CREATE SCHEMA IF NOT EXISTS redshift;

-- Filled by external-schema.mjs: https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_SCHEMAS.html
CREATE TABLE IF NOT EXISTS redshift.svv_external_schemas (schemaname varchar(128), databasename varchar(128));

-- DATEDIFF counts the boundaries that lie between, and gives a bigint: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html
CREATE OR REPLACE FUNCTION redshift.boundary(part text, t timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE part
    WHEN 'year' THEN extract(year FROM t)::bigint
    WHEN 'quarter' THEN extract(year FROM t)::bigint * 4 + extract(quarter FROM t)::bigint
    WHEN 'month' THEN extract(year FROM t)::bigint * 12 + extract(month FROM t)::bigint
    -- Weeks begin on Sunday; 1970-01-04 was one.
    WHEN 'week' THEN floor(extract(epoch FROM date_trunc('day', t) - timestamp '1970-01-04') / 604800)::bigint
    WHEN 'day' THEN floor(extract(epoch FROM t) / 86400)::bigint
    WHEN 'hour' THEN floor(extract(epoch FROM t) / 3600)::bigint
    WHEN 'minute' THEN floor(extract(epoch FROM t) / 60)::bigint
    WHEN 'second' THEN floor(extract(epoch FROM t))::bigint
    WHEN 'millisecond' THEN floor(extract(epoch FROM t) * 1000)::bigint
    WHEN 'microsecond' THEN (extract(epoch FROM t) * 1000000)::bigint
  END
$$;
CREATE OR REPLACE FUNCTION redshift.datediff(part text, a timestamp, b timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT redshift.boundary(part, b) - redshift.boundary(part, a)';
CREATE OR REPLACE FUNCTION redshift.datediff(part text, a timestamptz, b timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT redshift.boundary(part, b AT TIME ZONE 'UTC') - redshift.boundary(part, a AT TIME ZONE 'UTC')$$;
CREATE OR REPLACE FUNCTION redshift.datediff(part text, a date, b date) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT redshift.boundary(part, b::timestamp) - redshift.boundary(part, a::timestamp)';

-- DATEADD gives a timestamp, with a zone where it got one: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html
CREATE OR REPLACE FUNCTION redshift.dateadd(part text, n bigint, t timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE part
    WHEN 'year' THEN t + n * interval '1 year'
    WHEN 'quarter' THEN t + n * interval '3 months'
    WHEN 'month' THEN t + n * interval '1 month'
    WHEN 'week' THEN t + n * interval '7 days'
    WHEN 'day' THEN t + n * interval '1 day'
    WHEN 'hour' THEN t + n * interval '1 hour'
    WHEN 'minute' THEN t + n * interval '1 minute'
    -- A product of bigint and interval goes through float: exact microseconds need whole seconds apart.
    WHEN 'second' THEN t + n * interval '1 second'
    WHEN 'millisecond' THEN t + n / 1000 * interval '1 second' + n % 1000 * interval '1 millisecond'
    WHEN 'microsecond' THEN t + n / 1000000 * interval '1 second' + n % 1000000 * interval '1 microsecond'
  END
$$;
CREATE OR REPLACE FUNCTION redshift.dateadd(part text, n bigint, t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT redshift.dateadd(part, n, t AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'$$;
-- Neither a date nor a literal has a zone; PostgreSQL would take both for the type that has one.
CREATE OR REPLACE FUNCTION redshift.dateadd(part text, n bigint, t date) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT redshift.dateadd(part, n, t::timestamp)';
CREATE OR REPLACE FUNCTION redshift.dateadd(part text, n bigint, t text) RETURNS timestamp LANGUAGE sql STABLE STRICT AS
  'SELECT redshift.dateadd(part, n, t::timestamp)';

-- AVG of whole numbers is a whole number, cut: https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
CREATE OR REPLACE FUNCTION redshift.cut(sums bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT CASE WHEN sums[1] > 0 THEN sums[2] / sums[1] END';
CREATE OR REPLACE AGGREGATE redshift.avg(int2) (sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift.cut);
CREATE OR REPLACE AGGREGATE redshift.avg(int4) (sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift.cut);
CREATE OR REPLACE FUNCTION redshift.add_bigint(sums numeric[], x bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT ARRAY[sums[1] + 1, sums[2] + x]';
CREATE OR REPLACE FUNCTION redshift.cut(sums numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT CASE WHEN sums[1] > 0 THEN trunc(sums[2] / sums[1])::bigint END';
CREATE OR REPLACE AGGREGATE redshift.avg(int8) (sfunc = redshift.add_bigint, stype = numeric[], initcond = '{0,0}', finalfunc = redshift.cut);
CREATE OR REPLACE AGGREGATE redshift.avg(float8) (sfunc = float8_accum, stype = float8[], initcond = '{0,0,0}', finalfunc = float8_avg);
CREATE OR REPLACE AGGREGATE redshift.avg(float4) (sfunc = float4_accum, stype = float8[], initcond = '{0,0,0}', finalfunc = float8_avg);
CREATE OR REPLACE AGGREGATE redshift.avg(numeric) (sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg);

-- LAST_VALUE and FIRST_VALUE … IGNORE NULLS, as aggregates over the same window: a strict function is not called for nulls, and the
-- first value that is none is the state as it is.
CREATE OR REPLACE FUNCTION redshift.other(state anyelement, value anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT value';
CREATE OR REPLACE FUNCTION redshift.same(state anyelement, value anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT state';
CREATE OR REPLACE AGGREGATE redshift.last_value_ignore_nulls(anyelement) (sfunc = redshift.other, stype = anyelement);
CREATE OR REPLACE AGGREGATE redshift.first_value_ignore_nulls(anyelement) (sfunc = redshift.same, stype = anyelement);

-- https://docs.aws.amazon.com/redshift/latest/dg/varbyte-functions.html
CREATE OR REPLACE FUNCTION redshift.from_hex(hex text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$SELECT decode(hex, 'hex')$$;
CREATE OR REPLACE FUNCTION redshift.to_hex(bytes bytea) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$SELECT encode(bytes, 'hex')$$;
CREATE OR REPLACE FUNCTION redshift.from_varbyte(bytes bytea, form text) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE lower(form)
    WHEN 'hex' THEN encode(bytes, 'hex') WHEN 'base64' THEN encode(bytes, 'base64')
    WHEN 'utf-8' THEN convert_from(bytes, 'UTF8') WHEN 'utf8' THEN convert_from(bytes, 'UTF8')
  END
$$;
CREATE OR REPLACE FUNCTION redshift.to_varbyte(value text, form text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE lower(form)
    WHEN 'hex' THEN decode(value, 'hex') WHEN 'base64' THEN decode(value, 'base64')
    WHEN 'utf-8' THEN convert_to(value, 'UTF8') WHEN 'utf8' THEN convert_to(value, 'UTF8')
  END
$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/SHA2.html, and others of its neighbours
CREATE OR REPLACE FUNCTION redshift.sha2(value text, bits int) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT encode(CASE bits
    WHEN 0 THEN sha256(convert_to(value, 'UTF8')) WHEN 256 THEN sha256(convert_to(value, 'UTF8'))
    WHEN 224 THEN sha224(convert_to(value, 'UTF8')) WHEN 384 THEN sha384(convert_to(value, 'UTF8'))
    WHEN 512 THEN sha512(convert_to(value, 'UTF8'))
  END, 'hex')
$$;
CREATE OR REPLACE FUNCTION redshift.len(value text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT length(value)';

-- https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html: they are counted from 1, and REGEXP_REPLACE replaces all.
CREATE OR REPLACE FUNCTION redshift.charindex(part text, value text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT strpos(value, part)';
CREATE OR REPLACE FUNCTION redshift.regexp_replace(value text, pattern text, other text DEFAULT '') RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.regexp_replace(value, pattern, other, 'g')$$;
-- Of hexadecimal digits only here: https://docs.aws.amazon.com/redshift/latest/dg/r_STRTOL.html
CREATE OR REPLACE FUNCTION redshift.strtol(digits text, base int) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE base WHEN 16 THEN ('x' || lpad(digits, 16, '0'))::bit(64)::bigint WHEN 10 THEN digits::bigint END$$;
CREATE OR REPLACE FUNCTION redshift.nvl2(value anyelement, one anycompatible, other anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE AS
  'SELECT CASE WHEN value IS NOT NULL THEN one ELSE other END';

-- Null where a value can't be cast: https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
CREATE OR REPLACE FUNCTION redshift.try_cast(value anyelement, type text, target anycompatible, OUT result anycompatible) LANGUAGE plpgsql AS $$
  BEGIN
    EXECUTE format('SELECT ($1)::%s', type) INTO result USING value;
  EXCEPTION WHEN data_exception THEN result := NULL;
  END
$$;
CREATE OR REPLACE FUNCTION redshift.try_cast(value text, type text, target anycompatible, OUT result anycompatible) LANGUAGE plpgsql AS $$
  BEGIN
    EXECUTE format('SELECT ($1)::%s', type) INTO result USING value;
  EXCEPTION WHEN data_exception THEN result := NULL;
  END
$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
CREATE OR REPLACE FUNCTION redshift.can_json_parse(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
  BEGIN
    PERFORM value::json;
    RETURN true;
  EXCEPTION WHEN data_exception THEN RETURN false;
  END
$$;
CREATE OR REPLACE FUNCTION redshift.is_valid_json(value text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT SET standard_conforming_strings = on AS
  $$SELECT redshift.can_json_parse(value) AND value ~ '^\s*\{'$$;

-- SUPER, as far as text goes in and out: without blanks, which jsonb prints after colons and commas. Its keys are in another order here.
CREATE OR REPLACE FUNCTION redshift.json_parse(value text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS 'SELECT value::jsonb';
CREATE OR REPLACE FUNCTION redshift.json_serialize(value jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT SET standard_conforming_strings = on AS
  $$SELECT regexp_replace(value::text, '("(?:[^"\\]|\\.)*")|([:,]) ', '\1\2', 'g')$$;
CREATE OR REPLACE FUNCTION redshift.json_typeof(value jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS 'SELECT jsonb_typeof(value)';

DO $$ BEGIN GRANT USAGE ON SCHEMA redshift TO PUBLIC; END $$;

-- Set by unload.mjs: https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_UNLOAD_COUNT.html
CREATE OR REPLACE FUNCTION redshift.pg_last_unload_count() RETURNS bigint LANGUAGE sql STABLE AS
  $$SELECT current_setting('redshift.last_unload_count')::bigint$$;
