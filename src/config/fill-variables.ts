import type {Problem} from '../errors.js'
import type {FillScalar} from './yaml-text.js'

const reference = /\$(\$\{)|\$\{([^}:]*)(?::-([^}]*))?\}/g

/**
 * Fills in `${VAR}` and `${VAR:-default}` (which also stands in for an empty variable, as in a shell); `$${` is a plain
 * `${`. A variable that is not set is reported where it is named.
 */
export function fillVariables(
  environment: Readonly<Record<string, string | undefined>>,
  report: (problem: Problem) => void,
): FillScalar {
  return ({text, raw}, at) => {
    if (!text.includes('${')) return text
    const offsets = [...raw.matchAll(reference)].map((match) => match.index)
    let index = 0
    return text.replaceAll(
      reference,
      (
        whole: string,
        escaped: string | undefined,
        name: string | undefined,
        fallback: string | undefined,
      ) => {
        const offset = offsets[index++] ?? 0
        if (escaped !== undefined) return escaped
        const variable = name ?? ''
        const value = Object.hasOwn(environment, variable) ? environment[variable] : undefined
        if (value !== undefined && (value !== '' || fallback === undefined)) return value
        if (fallback !== undefined) return fallback
        report({
          code: 'FS_CONFIG_INVALID',
          message: `The environment variable \`${variable}\` is not set.`,
          hint: `Set ${variable}, or give a default: \${${variable}:-default}.`,
          ...at(offset),
        })
        return whole
      },
    )
  }
}
