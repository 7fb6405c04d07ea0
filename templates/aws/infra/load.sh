#!/bin/sh
# Puts the generated rows where the sources look for them: S3, and tables of Redshift. It may run again. It acts as the
# administrator whose password the stack made, so whoever runs it needs secretsmanager:GetSecretValue on that secret.
set -eu
: "${AWS_REGION:?}" "${FS_BUCKET:?}" "${FS_WORKGROUP:?}" "${FS_REDSHIFT_ROLE:?}" "${FS_ADMIN_SECRET:?}"
export AWS_DEFAULT_REGION="$AWS_REGION" # which version 1 of the command line reads
cd "$(dirname "$0")/.."

for table in zipcode_table credit_history loan_table; do
  aws s3 cp --only-show-errors "data/$table.parquet" "s3://$FS_BUCKET/data/$table/part.parquet"
done

# redshift-data OPERATION ARGUMENTS…: submits, and waits for the end; the first one wakes Redshift, which takes a minute.
run() {
  id=$(aws redshift-data "$@" --workgroup-name "$FS_WORKGROUP" --database dev --secret-arn "$FS_ADMIN_SECRET" \
    --query Id --output text)
  while true; do
    state=$(aws redshift-data describe-statement --id "$id" --query Status --output text)
    case $state in
    FINISHED) return ;;
    FAILED | ABORTED)
      aws redshift-data describe-statement --id "$id" --query '[Error, SubStatements[].Error]' >&2
      exit 1
      ;;
    esac
    sleep 1
  done
}

# A schema over the Glue catalog, where the places are. It can't be made within a transaction.
echo 'Making the external schema'
run execute-statement --sql "
  CREATE EXTERNAL SCHEMA IF NOT EXISTS lake FROM DATA CATALOG DATABASE 'credit_lake' IAM_ROLE '$FS_REDSHIFT_ROLE'"

# COPY takes columns in the order of the file, of its types; times are in UTC. All of these take effect, or none.
echo 'Copying into Redshift'
copy="FORMAT PARQUET IAM_ROLE '$FS_REDSHIFT_ROLE'"
run batch-execute-statement --sqls \
  'CREATE SCHEMA IF NOT EXISTS credit' \
  'CREATE TABLE IF NOT EXISTS credit.credit_history (
    dob_ssn varchar(64), event_timestamp timestamp, created_timestamp timestamp, credit_card_due bigint,
    mortgage_due bigint, student_loan_due bigint, vehicle_loan_due bigint, hard_pulls bigint,
    missed_payments_2y bigint, missed_payments_1y bigint, missed_payments_6m bigint, bankruptcies bigint
  ) DISTKEY (dob_ssn) COMPOUND SORTKEY (event_timestamp)' \
  'CREATE TABLE IF NOT EXISTS credit.loan_table (
    loan_id bigint, dob_ssn varchar(64), zipcode bigint, person_age bigint, person_income bigint,
    person_home_ownership varchar(16), person_emp_length double precision, loan_intent varchar(32), loan_amnt bigint,
    loan_int_rate double precision, loan_status bigint, event_timestamp timestamp, created_timestamp timestamp
  ) COMPOUND SORTKEY (event_timestamp)' \
  'DELETE FROM credit.credit_history' \
  'DELETE FROM credit.loan_table' \
  "COPY credit.credit_history FROM 's3://$FS_BUCKET/data/credit_history/' $copy" \
  "COPY credit.loan_table FROM 's3://$FS_BUCKET/data/loan_table/' $copy" \
  'GRANT USAGE ON SCHEMA credit TO PUBLIC' \
  'GRANT USAGE ON SCHEMA lake TO PUBLIC' \
  'GRANT SELECT ON ALL TABLES IN SCHEMA credit TO PUBLIC'

# PUBLIC is whoever IAM lets into this database: the stack's policies say who that is.
echo 'Loaded: credit.credit_history, credit.loan_table, lake.zipcode_table'
