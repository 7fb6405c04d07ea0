/** Types as Hive's metastores and the Glue Data Catalog write them, in DuckDB's words. */

const scalars: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  int: 'INTEGER',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  long: 'BIGINT',
  float: 'FLOAT',
  real: 'FLOAT',
  double: 'DOUBLE',
  string: 'VARCHAR',
  varchar: 'VARCHAR',
  char: 'VARCHAR',
  uuid: 'VARCHAR',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
}

/**
 * What DuckDB calls the type; undefined for one that it has no equal of.
 * https://docs.aws.amazon.com/athena/latest/ug/data-types.html
 */
export function duckDbTypeOfHive(type: string): string | undefined {
  const text = type.trim()
  const [, name = '', inner] =
    /^(\w+)(?:\s*[<(](.*)[>)])?$/s.exec(text.replace(/^timestamp with .*$/i, 'timestamptz')) ?? []
  const parts = inner === undefined ? [] : splitOutside(inner)
  switch (name.toLowerCase()) {
    case 'decimal': {
      const [precision = '10', scale = '0'] = parts
      return `DECIMAL(${precision.trim()},${scale.trim()})`
    }
    case 'array': {
      const element = duckDbTypeOfHive(parts[0] ?? '')
      return element === undefined ? undefined : `${element}[]`
    }
    case 'map': {
      const [key, value] = parts.map(duckDbTypeOfHive)
      return key === undefined || value === undefined ? undefined : `MAP(${key}, ${value})`
    }
    case 'struct': {
      const fields = parts.map((part) => {
        const at = part.indexOf(':')
        const fieldType = duckDbTypeOfHive(part.slice(at + 1))
        return fieldType === undefined
          ? undefined
          : `"${part.slice(0, at).trim().replaceAll('"', '""')}" ${fieldType}`
      })
      return fields.includes(undefined) ? undefined : `STRUCT(${fields.join(', ')})`
    }
    default:
      return scalars[name.toLowerCase()]
  }
}

/** Parts between commas that stand outside of brackets. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if ('<('.includes(character)) depth += 1
    else if ('>)'.includes(character)) depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(from, at))
      from = at + 1
    }
  }
  return [...parts, text.slice(from)]
}
