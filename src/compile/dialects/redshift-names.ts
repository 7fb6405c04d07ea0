/** Names are folded to lower case, within quotes too: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
export function quoteName(name: string): string {
  return `"${name.toLowerCase().replaceAll('"', '""')}"`
}

/**
 * A text as a constant. A backslash escapes what follows it, as in every PostgreSQL before 9.1; so a statement within UNLOAD
 * has its own doubled: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
 */
export function quoteText(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '$&$&')}'`
}
