/** What `fs init` can make, by name: a folder of `templates/`, and what to say about it. */
export const templates = {
  minimal: 'one entity, one view, one service: five drivers',
  'credit-scoring': 'loans scored by zipcode and credit history, in YAML and TypeScript',
} as const satisfies Readonly<Record<string, string>>

export type TemplateName = keyof typeof templates

/** Whether there is a template of this name. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templates, name)
}
