// Where the rows lie. Views name a source and know no more of it: to move one from files to a warehouse, change it here.
import {fileSource} from 'feature-repo'

/** Credit reports. A correction has the event time of the report that it corrects, and a later created time: it wins. */
export const creditReports = fileSource({
  name: 'credit_reports',
  path: 'data/credit_history.parquet',
  timestampField: 'event_timestamp', // when a row was true
  createdTimestampColumn: 'created_timestamp', // when it became known
})

/** Places, once a year. */
export const zipcodeTable = fileSource({
  name: 'zipcode_table',
  path: 'data/zipcode_table.parquet',
  timestampField: 'event_timestamp',
  createdTimestampColumn: 'created_timestamp',
})
