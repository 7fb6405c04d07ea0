import ansis from 'ansis'
import type {OnlineResponse} from '../feature-store.js'
import {renderTable} from './render-table.js'
import {renderValue} from './render-value.js'

/** One block for each entity: a line a feature, with what its status says where it is not simply present. */
export function renderOnlineFeatures(response: OnlineResponse): string {
  const names = response.metadata.feature_names
  const entityCount = response.results[0]?.values.length ?? 0
  const blocks = Array.from({length: entityCount}, (_, entity) =>
    renderTable(
      ['FEATURE', 'VALUE', 'STATUS', 'EVENT TIME'],
      names.map((name, index) => {
        const result = response.results[index]
        const status = result?.statuses[entity] ?? ''
        return [
          name,
          renderValue(result?.values[entity] ?? null),
          status === 'PRESENT' ? status : ansis.yellow(status),
          result?.event_timestamps[entity] ?? '',
        ]
      }),
    ),
  )
  return blocks.join('\n\n')
}
