export interface Template {
  /** What to say about it in one line. */
  readonly summary: string
  /** The clock to run its first steps by, where its generated rows would be too old for today's. */
  readonly now?: string
}

/** What `fs init` can make, by name: each a folder of `templates/`. */
export const templates = {
  minimal: {summary: 'one entity, one view, one service: five drivers'},
  'credit-scoring': {
    summary: 'loans scored by zipcode and credit history, in YAML and TypeScript',
    now: '2021-09-01T00:00:00Z',
  },
} as const satisfies Readonly<Record<string, Template>>

export type TemplateName = keyof typeof templates

/** Whether there is a template of this name. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templates, name)
}
