import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.js'
import {parseEntityArguments} from '../cli/entity-argument.js'
import {featureFlags, featureSelection, nowFlag} from '../cli/flags.js'
import {renderOnlineFeatures} from '../cli/render-online-features.js'
import type {OnlineResponse} from '../feature-store.js'

export default class GetOnlineFeatures extends BaseCommand {
  static override summary = 'Read the newest feature values of entities from the online store.'
  static override description = `Each value has a status: PRESENT, NULL_VALUE (the row is there, the feature is null), NOT_FOUND (no row for the entity)
or OUTSIDE_MAX_AGE (older than the ttl; the value is withheld).`
  static override examples = [
    '<%= config.bin %> get-online-features --entity driver_id=1001 --features driver_hourly_stats:conv_rate',
    '<%= config.bin %> get-online-features --entity zipcode=94109,dob_ssn=19530219_5179 --feature-service credit_scoring',
    `<%= config.bin %> get-online-features --entity '{"driver_id": 1001}' --entity '{"driver_id": 1002}' --feature-service driver_activity --json`,
  ]
  static override flags = {
    ...nowFlag,
    entity: Flags.string({
      char: 'e',
      multiple: true,
      required: true,
      summary: 'An entity, by its join keys; once for each row.',
      helpValue: 'KEY=VALUE[,KEY=VALUE]',
    }),
    ...featureFlags,
  }

  async run(): Promise<OnlineResponse> {
    const {flags} = await this.parse(GetOnlineFeatures)
    const entities = parseEntityArguments(flags.entity)
    return this.withStore(flags, async (store) => {
      const answer = await store.getOnlineFeatures({entities, ...featureSelection(flags)})
      const response = answer.toResponse()
      if (!this.jsonEnabled()) this.log(renderOnlineFeatures(response))
      return response
    })
  }
}
