/**
 * A fault that a test asks for.
 *
 * @typedef {object} FaultRule
 * @property {string} operation As `operationName` says it; `*` stands for any part of it: `Glue.*`.
 * @property {string} [path] The fault comes only to requests whose path and query hold this text.
 * @property {number} [times] How many requests it comes to. Default 1.
 * @property {number} [skip] How many matching requests pass before the first. Default 0.
 * @property {string} [type] The error that is answered: `ThrottlingException`, `SlowDown`.
 * @property {number} [status] Of that answer. Default 400 for services that speak JSON or forms, 503 for S3.
 * @property {string} [message] Default: the type.
 * @property {Record<string, unknown>} [members] More of that answer, where the service speaks JSON: `StatementId`.
 * @property {number} [delayMillis] Waits before anything else. Alone, it only delays.
 * @property {boolean} [cut] The connection ends instead of an answer.
 * @property {number} [bodyBytes] Of an object that is asked for so many bytes come; then nothing more does, or the
 *   connection ends where it is `cut`.
 * @property {boolean} [unconditional] The request is carried out as if it had no conditions.
 * @property {boolean} [after] The request takes effect, and then its answer is lost, to the error or to the cut.
 */

/** The faults that are still to come, in the order they were asked for. */
export class FaultRules {
  /** @type {FaultRule[]} */
  #rules = []

  /** @param {readonly FaultRule[]} rules */
  add(rules) {
    this.#rules.push(...rules.map((rule) => ({times: 1, skip: 0, ...rule})))
  }

  clear() {
    this.#rules = []
  }

  /**
   * The fault that comes to a request, which uses it up.
   *
   * @param {string} operation
   * @param {string} url
   * @returns {FaultRule | undefined}
   */
  take(operation, url) {
    const rule = this.#rules.find((each) => matches(each, operation, url))
    if (rule === undefined) return undefined
    if (rule.skip > 0) {
      rule.skip -= 1
      return undefined
    }
    rule.times -= 1
    if (rule.times <= 0) this.#rules = this.#rules.filter((each) => each !== rule)
    return rule
  }
}

function matches({operation, path}, asked, url) {
  const pattern = operation.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`).test(asked) && (path === undefined || url.includes(path))
}
