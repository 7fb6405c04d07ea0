import {parseRaised} from '../../compile/raise.js'
import type {DataSource} from '../../definitions/definition.js'
import {FeatureStoreError, storeClosed} from '../../errors.js'

/** What a failed statement means for the user: the facts that a statement raised itself, or the engine's own message. */
export function queryError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FeatureStoreError) return error
  const raised = parseRaised(error.message)
  if (raised !== undefined) return raisedError(raised) ?? error
  const message = engineMessage(error)
  if (message.includes('connection disconnected')) return storeClosed(error)
  if (/^(IO|HTTP) Error/.test(error.message)) {
    return new FeatureStoreError('FS_SOURCE_UNREADABLE', message, {
      hint: 'Check that the file is there, whole, and may be read.',
      cause: error,
    })
  }
  if (error.message.startsWith('Out of Memory Error')) {
    return new FeatureStoreError('FS_QUERY_FAILED', message, {
      hint: 'Raise `memory_limit` of offline_store in feature_store.yaml, or free space for temporary files.',
      cause: error,
    })
  }
  return new FeatureStoreError('FS_QUERY_FAILED', message, {
    hint: 'Correct the SQL, or the data that it reads; `--sql` shows the statement of a training frame.',
    cause: error,
  })
}

/** The same failure, told as one of a source whose rows were read. */
export function sourceError(error: unknown, source: DataSource): unknown {
  if (!(error instanceof FeatureStoreError)) return error
  if (error.code !== 'FS_QUERY_FAILED' && error.code !== 'FS_SOURCE_UNREADABLE') return error
  if (error.message.startsWith('Data source ') || error.message.startsWith('The query of data source '))
    return error
  return new FeatureStoreError(
    error.code,
    `Data source \`${source.name}\`${'path' in source ? ` (${source.path})` : ''}: ${error.message}`,
    {
      hint:
        'query' in source
          ? 'Correct its query, or the data that it reads.'
          : 'Check that its files are whole.',
      cause: error,
    },
  )
}

/** The engine's message in one line, without its drawing of the statement. */
export function engineMessage(error: Error): string {
  return error.message
    .replace(/\n\nLINE \d+:[^]*$/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
    .replace(/\.?$/, '.')
}

function raisedError([code, ...facts]: readonly string[]): FeatureStoreError | undefined {
  switch (code) {
    case 'FS_ENTITY_ROWS_INVALID': {
      const [column, row, value] = facts
      return new FeatureStoreError(
        code,
        value === undefined || value === ''
          ? `Row ${row ?? ''} of the entity rows has no \`${column ?? ''}\`. Expected the time of the row.`
          : `Row ${row ?? ''} of the entity rows: \`${column ?? ''}\` is ${show(value)}. Expected an ISO time such as 2024-05-01T12:30:00Z.`,
        {
          hint:
            value === undefined || value === ''
              ? 'Give every row its time, or leave the row out.'
              : 'Write times as ISO 8601; without a zone they are UTC.',
        },
      )
    }
    case 'FS_ENTITY_KEY_INVALID': {
      const [column, type, row, value] = facts
      return new FeatureStoreError(
        code,
        `Row ${row ?? ''} of the entity rows: join key \`${column ?? ''}\` is ${show(value)}. Expected a value of type ${type ?? ''}.`,
        {
          hint: `Give each row a value of type ${type ?? 'key'} for \`${column ?? ''}\`; a row with a null key gets null features.`,
        },
      )
    }
    case 'FS_VALUE_OUT_OF_RANGE': {
      const [view, feature, key, value] = facts
      return new FeatureStoreError(
        code,
        `View \`${view ?? ''}\`: \`${feature ?? ''}\`${key === undefined || key === '' ? '' : ` of ${key}`} is ${show(value)}, which does not fit its type. Nothing is rounded in silence.`,
        {hint: 'Correct the value in the source, or declare another type and apply again.'},
      )
    }
    default:
      return undefined
  }
}

function show(value: string | undefined): string {
  return value === undefined ? 'null' : value.length > 60 ? `"${value.slice(0, 60)}…"` : `"${value}"`
}
