-- The data of this example: run once by `fs init`, kept to show what the columns mean. No source needs such a script.
-- Nobody here is real. Everything follows from hashes and fixed dates, so that every repo made from this template holds
-- the same rows.

-- A number in [0, 1) that looks random, the same for the same words.
CREATE MACRO noise(who, what) AS (hash(who, what) % 1000003) / 1000003.0;
CREATE MACRO pick(options, share) AS options[1 + floor(share * len(options))::INTEGER];

-- 400 zipcodes; what is known about each changes once a year.
CREATE TABLE places AS
SELECT
  place,
  CASE WHEN place = 0 THEN 94109 ELSE 1001 + place * 245 + floor(200 * noise(place, 'zip'))::BIGINT END AS zipcode,
  noise(place, 'wealth') AS wealth,
  (2000 + 60000 * pow(noise(place, 'population'), 2))::BIGINT AS people
FROM range(400) AS numbers (place);

CREATE TABLE zipcode_table AS
SELECT
  zipcode,
  pick(['OAK', 'RIVER', 'SPRING', 'CEDAR', 'LAKE', 'STONE', 'MAPLE', 'CLEAR', 'ASH', 'NORTH'], noise(place, 'city'))
    || pick(['FIELD', 'TON', 'VILLE', 'WOOD', ' HILLS', ' CREEK', 'PORT', ' FALLS'], noise(place, 'town')) AS city,
  pick(
    [['MA', 'NJ', 'CT'], ['NY', 'PA'], ['VA', 'NC', 'MD'], ['FL', 'GA', 'TN'], ['OH', 'MI', 'IN'], ['WI', 'MN', 'IA'],
     ['IL', 'MO', 'KS'], ['TX', 'LA', 'OK'], ['CO', 'AZ', 'UT'], ['CA', 'WA', 'OR']][1 + zipcode // 10000],
    noise(place, 'state')
  ) AS state,
  CASE WHEN noise(place, 'type') < 0.9 THEN 'PRIMARY' ELSE 'PO BOX' END AS location_type,
  (0.55 * people * (1 + 0.01 * (year - 2017)))::BIGINT AS tax_returns_filed,
  (people * (1 + 0.01 * (year - 2017)))::BIGINT AS population,
  (0.55 * people * (22000 + 50000 * wealth) * (1 + 0.03 * (year - 2017)))::BIGINT AS total_wages,
  make_timestamptz(year, 1, 1, 12, 0, 0) AS event_timestamp,
  make_timestamptz(year, 1, 1, 12, 0, 0) AS created_timestamp
FROM places, range(BIGINT '2017', BIGINT '2022') AS years (year);

-- 1,000 people. `risk` is what the model is after: it stands in no table, but missed payments and unpaid loans follow it.
CREATE TABLE people AS
SELECT
  person,
  CASE
    WHEN person = 0 THEN '19530219_5179'
    ELSE strftime(DATE '1945-01-01' + floor(20000 * noise(person, 'born'))::INTEGER, '%Y%m%d')
      || '_' || lpad(floor(10000 * noise(person, 'number'))::INTEGER::VARCHAR, 4, '0')
  END AS dob_ssn,
  CASE WHEN person = 0 THEN 0 ELSE floor(400 * noise(person, 'home'))::BIGINT END AS place,
  pow(noise(person, 'risk'), 1.6) AS risk
FROM range(1000) AS numbers (person);

-- A credit report every 60 days, known ten minutes later. Every 40th person has none: the features of a loan of theirs
-- are null.
CREATE TABLE reports AS
SELECT
  person,
  report,
  dob_ssn,
  TIMESTAMPTZ '2020-07-01 00:00:00+00' + INTERVAL 60 DAY * report + INTERVAL 1 SECOND
    * floor(2592000 * noise(person, 'day'))::INTEGER AS event_timestamp,
  event_timestamp + INTERVAL 10 MINUTE AS created_timestamp,
  (300 + 9000 * noise((person, report), 'card') * (0.5 + risk))::BIGINT AS credit_card_due,
  CASE WHEN noise(person, 'owner') < 0.4 THEN (900000 * noise(person, 'mortgage'))::BIGINT - 1500 * report ELSE 0 END
    AS mortgage,
  (40000 * noise(person, 'student') * (1 - 0.03 * report))::BIGINT AS student_loan_due,
  (25000 * noise(person, 'vehicle') * (1 - 0.05 * report))::BIGINT AS vehicle_loan_due,
  floor(2 + 8 * risk * noise((person, report), 'pulls'))::BIGINT AS hard_pulls,
  floor(4 * risk * noise((person, report), 'missed 6m') + 0.6 * risk)::BIGINT AS missed_payments_6m,
  missed_payments_6m + floor(3 * risk * noise(person, 'missed 1y'))::BIGINT AS missed_payments_1y,
  missed_payments_1y + floor(5 * risk * noise(person, 'missed 2y'))::BIGINT AS missed_payments_2y,
  floor(2.4 * risk * noise(person, 'bankrupt'))::BIGINT AS bankruptcies
FROM people, range(7) AS numbers (report)
WHERE person % 40 <> 39;

CREATE TABLE credit_history AS
SELECT
  dob_ssn, event_timestamp, created_timestamp, credit_card_due, greatest(mortgage, 0) AS mortgage_due, student_loan_due,
  vehicle_loan_due, hard_pulls, missed_payments_2y, missed_payments_1y, missed_payments_6m, bankruptcies
FROM reports
UNION ALL
-- Corrections: the same event time, known five days later, with a payment that turned out to be missed.
SELECT
  dob_ssn, event_timestamp, created_timestamp + INTERVAL 5 DAY, credit_card_due, greatest(mortgage, 0), student_loan_due,
  vehicle_loan_due, hard_pulls, missed_payments_2y + 1, missed_payments_1y + 1, missed_payments_6m + 1, bankruptcies
FROM reports
WHERE (person + report) % 25 = 0;

-- 1,500 applications within a year, and how they ended: `loan_status` is 1 for a loan that was not paid back.
CREATE TABLE applications AS
SELECT
  loan,
  (loan * 7 % 1000) AS person,
  TIMESTAMPTZ '2020-08-26 00:00:00+00' + INTERVAL 1 SECOND * floor(31536000 * noise(loan, 'when'))::INTEGER AS applied,
  (500 + 34500 * pow(noise(loan, 'amount'), 1.5))::BIGINT // 100 * 100 AS amount
FROM range(1500) AS numbers (loan);

CREATE TABLE loan_table AS
SELECT
  10000 + loan AS loan_id,
  dob_ssn,
  zipcode,
  2021 - left(dob_ssn, 4)::BIGINT AS person_age,
  (18000 + 60000 * wealth + 70000 * pow(noise(person, 'income'), 2))::BIGINT // 100 * 100 AS person_income,
  pick(['RENT', 'RENT', 'MORTGAGE', 'MORTGAGE', 'OWN'], noise(person, 'house')) AS person_home_ownership,
  -- Not everyone says how long they have been employed.
  CASE WHEN noise(loan, 'says') > 0.03 THEN floor(25 * pow(noise(person, 'job'), 2)) END AS person_emp_length,
  pick(['EDUCATION', 'MEDICAL', 'VENTURE', 'PERSONAL', 'HOMEIMPROVEMENT', 'DEBTCONSOLIDATION'], noise(loan, 'intent'))
    AS loan_intent,
  amount AS loan_amnt,
  round(5.5 + 11 * risk + 4 * noise(loan, 'rate'), 2) AS loan_int_rate,
  (noise(loan, 'unpaid') < 0.03 + 0.8 * pow(risk, 2) + 0.25 * least(amount / person_income, 0.6))::BIGINT AS loan_status,
  applied AS event_timestamp,
  applied AS created_timestamp
FROM applications JOIN people USING (person) JOIN places USING (place);

COPY (FROM zipcode_table ORDER BY event_timestamp, zipcode)
  TO '{directory}/data/zipcode_table.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM credit_history ORDER BY event_timestamp, dob_ssn, created_timestamp)
  TO '{directory}/data/credit_history.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM loan_table ORDER BY loan_id)
  TO '{directory}/data/loan_table.parquet' (FORMAT parquet, COMPRESSION zstd);
