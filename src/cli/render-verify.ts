import ansis from 'ansis'
import type {VerificationDocument, DifferenceDocument} from './verification-document.js'
import {formatCount} from './format-number.js'
import {renderTable} from './render-table.js'
import {renderValue} from './render-value.js'

type ViewDocument = VerificationDocument['views'][number]

/** A line for each view with its counts, then what is worth knowing, then examples of what differs. */
export function renderVerification({views}: VerificationDocument): string {
  const table = renderTable(
    ['', 'VIEW', 'CHECKED', 'EQUAL', 'MISSING', 'DIFFERENT', 'EXTRA', 'DUE', 'AS OF'],
    views.map((view) => [
      mark(view),
      view.name,
      ...[view.checked, view.equal, view.missing, view.different, view.extra, view.due].map(formatCount),
      view.as_of ?? '-',
    ]),
    {alignRight: [2, 3, 4, 5, 6, 7]},
  )
  return [table, ...views.flatMap(renderNotes), ...views.flatMap(renderExamples)].join('\n')
}

function mark(view: ViewDocument): string {
  switch (view.status) {
    case 'checked':
      return view.missing + view.extra + view.different === 0 ? ansis.green('✓') : ansis.red('✗')
    case 'not_loaded':
      return ansis.yellow('-')
    case 'failed':
      return ansis.red('✗')
    default:
      return view.status satisfies never
  }
}

function renderNotes({name, rejected, notes, error}: ViewDocument): readonly string[] {
  const notCompared =
    rejected === 0
      ? []
      : [`${formatCount(rejected)} not compared: the newest row holds a value that its type can't`]
  const lines = [...notCompared, ...notes].map((note) => `  ${name}: ${note}`)
  if (error === undefined) return lines
  const hint = error.hint === undefined ? [] : [`  ${ansis.cyan('Hint:')} ${error.hint}`]
  return [
    ...lines,
    `${ansis.bold.red('Error')} ${ansis.dim(`[${error.code}]`)} feature_view/${name}: ${error.message}`,
    ...hint,
  ]
}

function renderExamples({name, examples}: ViewDocument): readonly string[] {
  return examples.length === 0 ? [] : ['', ansis.bold(name), ...examples.map(renderExample)]
}

function renderExample(example: DifferenceDocument): string {
  const key = Object.entries(example.key)
    .map(([name, value]) => `${name}=${renderValue(value)}`)
    .join(', ')
  return `  ${example.kind.padEnd('different'.length)}  ${ansis.bold(key)}  ${renderSides(example)}`
}

function renderSides({kind, event_timestamp: time, features}: DifferenceDocument): string {
  switch (kind) {
    case 'missing':
      return `no row; expected the one of ${time.expected ?? '-'}`
    case 'extra':
      return `a row of ${time.found ?? '-'}, which the source does not have`
    case 'different':
      return [
        ...(time.expected === time.found
          ? []
          : [renderSide('event time', time.expected ?? '-', time.found ?? '-')]),
        ...Object.entries(features).map(([name, {expected, found}]) =>
          renderSide(name, renderValue(expected), renderValue(found)),
        ),
      ].join('; ')
    default:
      return kind satisfies never
  }
}

function renderSide(name: string, expected: string, found: string): string {
  return `${name} is ${ansis.red(found)}, expected ${ansis.green(expected)}`
}
