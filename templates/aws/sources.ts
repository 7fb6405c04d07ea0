// Where the rows lie. Views name a source and know no more of it: to move one from files to a warehouse, change it here.
import {glueSource, redshiftSource} from 'feature-repo'

/** Credit reports. A correction has the event time of the report that it corrects, and a later created time: it wins. */
export const creditReports = redshiftSource({
  name: 'credit_reports',
  schema: 'credit',
  table: 'credit_history',
  timestampField: 'event_timestamp', // when a row was true
  createdTimestampColumn: 'created_timestamp', // when it became known
})

/** Places, once a year: Parquet in S3 that the Glue catalog describes. Redshift reads it through `external_schema`. */
export const zipcodeTable = glueSource({
  name: 'zipcode_table',
  database: 'credit_lake',
  table: 'zipcode_table',
  timestampField: 'event_timestamp',
  createdTimestampColumn: 'created_timestamp',
})
