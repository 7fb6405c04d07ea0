-- The data of this example: run once by `fs init`, kept to show what the columns mean. No source needs such a script.
-- Everything follows from hashes and fixed dates, so that every repo made from this template holds the same rows.

-- A number in [0, 1) that looks random, the same for the same words.
CREATE MACRO noise(a, b, what) AS (hash(a, b, what) % 1000003) / 1000003.0;

-- Five drivers, every hour of two weeks, known five minutes later.
CREATE TABLE stats AS
SELECT
  hour AS event_timestamp,
  driver_id,
  round(0.15 + 0.05 * (driver_id - 1000) + 0.4 * noise(driver_id, hour, 'conv'), 4) AS conv_rate,
  round(0.55 + 0.4 * noise(driver_id, hour, 'acc'), 4) AS acc_rate,
  (40 + 12 * (driver_id - 1000) + floor(160 * noise(driver_id, hour, 'trips')))::INTEGER AS avg_daily_trips,
  hour + INTERVAL 5 MINUTE AS created
FROM
  range(TIMESTAMPTZ '2024-01-01 00:00:00+00', TIMESTAMPTZ '2024-01-15 00:00:00+00', INTERVAL 1 HOUR) AS hours (hour),
  range(BIGINT '1001', BIGINT '1006') AS drivers (driver_id);

COPY (
  FROM stats
  UNION ALL
  -- A correction: the same event time, known a day later. It wins over the row that it corrects.
  SELECT event_timestamp, driver_id, 0.5 AS conv_rate, acc_rate, avg_daily_trips, created + INTERVAL 1 DAY AS created
  FROM stats
  WHERE driver_id = 1003 AND event_timestamp = TIMESTAMPTZ '2024-01-10 12:00:00+00'
  ORDER BY event_timestamp, driver_id, created
) TO '{directory}/data/driver_stats.parquet' (FORMAT parquet, COMPRESSION zstd);

-- For whom, and as of when, a training frame is wanted. Driver 1009 has no rows: its features will be null.
COPY (
  SELECT
    1001 + row_number % 5 + CASE WHEN row_number = 19 THEN 4 ELSE 0 END AS driver_id,
    strftime(
      TIMESTAMP '2024-01-04 09:17:00' + INTERVAL 11 HOUR * row_number::INTEGER, '%Y-%m-%dT%H:%M:%SZ'
    ) AS event_timestamp
  FROM range(20) AS numbers (row_number)
  ORDER BY row_number
) TO '{directory}/data/entity_rows.csv' (FORMAT csv, HEADER);
