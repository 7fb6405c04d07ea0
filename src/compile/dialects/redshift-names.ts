/** Names are folded to lower case, within quotes too: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
export function quoteName(name: string): string {
  return `"${name.toLowerCase().replaceAll('"', '""')}"`
}

/** For constant texts of ours. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
