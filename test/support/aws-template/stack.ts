import {readFileSync} from 'node:fs'
import {isCollection, isScalar, parseDocument, type Tags} from 'yaml'

type Node = unknown
export interface Resource {
  readonly Type: string
  readonly Condition?: string
  readonly Properties?: Readonly<Record<string, Node>>
}

/** What CloudFormation would know once a stack is made: parameters and resources by `Name`, attributes by `Name.Attribute`. */
export type Known = Readonly<Record<string, string>>

const functions = ['Ref', 'Sub', 'GetAtt', 'If', 'Equals', 'Not', 'Select', 'GetAZs', 'Join']

/** `!Sub …` as `{"Fn::Sub": …}`. */
const customTags: Tags = functions.flatMap((name) => {
  const identify = () => false
  const tag = `!${name}`
  return [
    {tag, identify, resolve: (text: string) => ({[`Fn::${name}`]: text})},
    ...(['seq', 'map'] as const).map((collection) => ({
      ...{tag, identify, collection},
      resolve: (value: unknown) => ({
        [`Fn::${name}`]: isCollection(value) ? (value.toJSON() as unknown) : value,
      }),
    })),
  ]
})

/** A template of CloudFormation, with as many of its functions as a test needs. It makes nothing, and proves no resource. */
export class Stack {
  readonly resources: Readonly<Record<string, Resource>>
  readonly outputs: Readonly<Record<string, {readonly Value: Node}>>
  readonly parameters: Readonly<Record<string, {readonly Default?: string | number}>>
  readonly #conditions: Readonly<Record<string, Node>>

  constructor(path: string) {
    const document = parseDocument(readFileSync(path, 'utf8'), {customTags})
    const [error] = document.errors
    if (error !== undefined) throw error
    if (isScalar(document.contents)) throw new Error(`${path} is no template`)
    const {Resources, Outputs, Parameters, Conditions} = document.toJS() as Record<string, never>
    this.resources = Resources ?? {}
    this.outputs = Outputs ?? {}
    this.parameters = Parameters ?? {}
    this.#conditions = Conditions ?? {}
  }

  /** The names and bodies of all resources of a type. */
  ofType(type: string): readonly (readonly [name: string, resource: Resource])[] {
    return Object.entries(this.resources).filter(([, resource]) => resource.Type === type)
  }

  /** A part of the template with its functions carried out. Throws where `known` lacks what it needs. */
  resolve(node: Node, known: Known): unknown {
    if (Array.isArray(node))
      return node.map((one) => this.resolve(one, known)).filter((one) => one !== undefined)
    if (typeof node !== 'object' || node === null) return node
    const [only, ...more] = Object.entries(node)
    if (only !== undefined && more.length === 0) {
      const [name, argument] = only
      if (name.startsWith('Fn::')) return this.#call(name.slice('Fn::'.length), argument, known)
    }
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, this.resolve(value, known)]))
  }

  #call(name: string, argument: Node, known: Known): unknown {
    const items = Array.isArray(argument) ? (argument as readonly Node[]) : [argument]
    switch (name) {
      case 'Ref':
      case 'GetAtt':
        return argument === 'AWS::NoValue' ? undefined : this.#lookUp(String(argument), known)
      case 'Sub':
        return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, reference: string) =>
          this.#lookUp(reference, known),
        )
      case 'Join':
        return (this.resolve(items[1], known) as readonly string[]).join(String(items[0]))
      case 'If':
        return this.resolve(this.holds(String(items[0]), known) ? items[1] : items[2], known)
      case 'Equals':
        return this.resolve(items[0], known) === this.resolve(items[1], known)
      case 'Not':
        return this.resolve(items[0], known) !== true
      default:
        throw new Error(`Fn::${name} is not carried out here`)
    }
  }

  holds(condition: string, known: Known): boolean {
    return this.resolve(this.#conditions[condition], known) === true
  }

  #lookUp(reference: string, known: Known): string {
    const value = known[reference] ?? this.parameters[reference]?.Default
    if (value === undefined) throw new Error(`nothing is known of ${reference}`)
    return String(value)
  }
}
