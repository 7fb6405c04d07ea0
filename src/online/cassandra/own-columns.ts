/** Columns that each table has beside those of its view, with their types in CQL. */
export const ownColumns: Readonly<Record<string, string>> = {
  row_version: 'blob',
  event_timestamp: 'bigint',
  created_timestamp: 'bigint',
  null_elements: 'frozen<map<text, frozen<list<int>>>>',
}
