/** What Glue does and moto does not: names in lower case, pages, segments, and the check of a version that is no longer the newest. */
import {errorAnswer, jsonAnswer} from './error-answer.mjs'

/** Lists, and how many entries a page has at most: https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html and so on. */
const lists = {
  GetDatabases: {member: 'DatabaseList', most: 100},
  GetTables: {member: 'TableList', most: 100},
  GetTableVersions: {member: 'TableVersions', most: 100},
  GetPartitions: {member: 'Partitions', most: 1000},
}

export class GlueManners {
  #moto
  /** Of tables: one at a time, as a check and a write are two requests to moto. */
  #updates = Promise.resolve()

  /** @param {import('./moto.mjs').Moto} moto */
  constructor(moto) {
    this.#moto = moto
  }

  /**
   * @param {string} operation `GetTables`
   * @param {{method: string, url: string, headers: import('node:http').IncomingHttpHeaders}} request
   * @param {Buffer} body
   * @returns {Promise<import('./error-answer.mjs').Answer>}
   */
  async answer(operation, request, body) {
    const asked = JSON.parse(body.toString() || '{}')
    foldNames(operation, asked)
    if (operation === 'UpdateTable' && asked.VersionId !== undefined) {
      const turn = this.#updates.then(() => this.#updateNewest(request, asked))
      this.#updates = turn.catch(() => undefined)
      return turn
    }
    const answer = await this.#ask(operation, request, asked)
    const list = lists[operation]
    return list === undefined || answer.status !== 200 ? answer : page(answer, list, asked, request)
  }

  #ask(operation, request, asked) {
    const headers = {...request.headers, 'x-amz-target': `AWSGlue.${operation}`}
    return this.#moto.call({...request, headers}, Buffer.from(JSON.stringify(asked)))
  }

  async #updateNewest(request, asked) {
    const {DatabaseName, TableInput, VersionId} = asked
    const found = await this.#ask('GetTable', request, {DatabaseName, Name: TableInput.Name})
    if (found.status === 200 && JSON.parse(found.body.toString()).Table.VersionId !== VersionId)
      return errorAnswer('Glue.UpdateTable', request.headers, {
        type: 'ConcurrentModificationException',
        message: 'Update table failed due to concurrent modifications.',
      })
    return this.#ask('UpdateTable', request, asked)
  }
}

/** Names of databases and tables are kept in lower case; those of columns as they are given. */
function foldNames(operation, asked) {
  const isOfCatalog = /Database|Table|Partition/.test(operation)
  if (!isOfCatalog) return
  for (const place of [asked, asked.TableInput, asked.DatabaseInput])
    for (const member of ['DatabaseName', 'TableName', 'Name'])
      if (typeof place?.[member] === 'string') place[member] = place[member].toLowerCase()
}

function page(
  answer,
  {member, most},
  {NextToken, MaxResults = most, Segment, ExcludeColumnSchema},
  {headers},
) {
  const refusal = (message) => errorAnswer('Glue', headers, {type: 'InvalidInputException', message})
  if (MaxResults < 1 || MaxResults > most) return refusal(`MaxResults must be between 1 and ${most}`)
  const first = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64url').toString())
  if (!Number.isInteger(first)) return refusal('NextToken is not valid')
  let entries = JSON.parse(answer.body.toString())[member] ?? []
  if (Segment !== undefined)
    entries = entries.filter((_, index) => index % Segment.TotalSegments === Segment.SegmentNumber)
  if (ExcludeColumnSchema === true) for (const entry of entries) delete entry.StorageDescriptor?.Columns
  const end = first + MaxResults
  return jsonAnswer(200, {
    [member]: entries.slice(first, end),
    ...(end < entries.length ? {NextToken: Buffer.from(String(end)).toString('base64url')} : {}),
  })
}
