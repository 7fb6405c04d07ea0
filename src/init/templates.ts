export interface Template {
  /** What to say about it in one line. */
  readonly summary: string
  /** The clock to run its first steps by, where its generated rows would be too old for today's. */
  readonly now?: string
  /** Files that it has from another template's folder, beside its own. */
  readonly shared?: {readonly from: string; readonly files: readonly string[]}
  /** Where no command can work yet: what its README begins with. */
  readonly readmeBeginsWith?: string
}

/** What `fs init` can make, by name: each a folder of `templates/`. */
export const templates = {
  minimal: {summary: 'one entity, one view, one service: five drivers'},
  'credit-scoring': {
    summary: 'loans scored by zipcode and credit history, in YAML and TypeScript',
    now: '2021-09-01T00:00:00Z',
  },
  aws: {
    summary:
      'the same on Redshift and Glue, with ElastiCache or Keyspaces online, and the stack that makes them',
    shared: {from: 'credit-scoring', files: ['credit.ts', 'zipcode.yaml', 'generate-data.sql']},
    readmeBeginsWith: 'the stack that it needs',
  },
} as const satisfies Readonly<Record<string, Template>>

export type TemplateName = keyof typeof templates

/** Whether there is a template of this name. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templates, name)
}
