import {collectDefinitions} from '../../src/definitions/definition.js'
import type {ProcessIdentity, RegistryDocument} from '../../src/registry/registry.js'

export const sampleIdentity: ProcessIdentity = {
  host: 'worker-1',
  pid: 4711,
  bootId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  startedAt: '123456',
}

/** A document that uses every part of the contract once. */
export function sampleDocument(project = 'rides'): RegistryDocument {
  return {
    project,
    definitions: collectDefinitions([
      {
        kind: 'entity',
        name: 'driver',
        joinKeys: [{name: 'driver_id', valueType: 'int64'}],
        description: 'Who drives; “quotes”, 日本語 and\nnew lines.',
        tags: {team: 'supply'},
      },
      {
        kind: 'data_source',
        name: 'driver_stats',
        type: 'file',
        path: 'data/driver_stats.parquet',
        timestampField: 'event_timestamp',
        createdTimestampColumn: 'created',
        fieldMapping: {conv: 'conv_rate'},
      },
      {
        kind: 'feature_view',
        name: 'driver_hourly_stats',
        entities: ['driver'],
        source: 'driver_stats',
        ttl: 86_400_000_001n,
        schema: [
          {name: 'conv_rate', valueType: 'float64'},
          {name: 'price', valueType: 'decimal(18,4)', description: 'In euros.'},
        ],
        online: true,
        lateness: 7_200_000_000n,
        knowledgeTime: true,
      },
      {
        kind: 'feature_service',
        name: 'driver_activity',
        features: [
          {view: 'driver_hourly_stats', name: 'stats', features: [{name: 'conv_rate', alias: 'cr'}]},
        ],
      },
    ]),
    views: {
      driver_hourly_stats: {
        table: 'driver_hourly_stats__2',
        storeId: 'b6e3c1f0-5a0e-4b52-9d0f-8c5f8f1b2a11',
        begunSyncs: [
          {runId: 'one', begunAt: 5n, file: 'a.parquet'},
          {
            runId: 'two',
            holder: {host: 'h', pid: 4, bootId: 'b', startedAt: 's'},
            begunAt: 6n,
            file: 'b.parquet',
          },
        ],
        replacement: {
          table: 'driver_hourly_stats__3',
          storeId: 'c6e3c1f0-5a0e-4b52-9d0f-8c5f8f1b2a11',
          begunSyncs: [{runId: 'three', begunAt: 7n, file: 'c.parquet'}],
        },
        retiredFeatures: [{name: 'rating', valueType: 'list<decimal(3,2)>'}],
        covered: [
          {start: null, end: 1_714_521_600_000_000n},
          {start: 1_714_521_600_000_007n, end: 1_714_608_000_123_456n},
        ],
        newestEventTimestamp: -1n,
        arrival: {created: 9_223_372_036_854_775_807n, rows: 3},
        lease: {
          runId: '20240502-000000-abcdef',
          holder: sampleIdentity,
          since: 1_714_608_000_000_000n,
          expiresAt: 1_714_608_060_000_000n,
        },
        lastRun: {runId: '20240501-000000-abcdef', status: 'failed', finishedAt: 1_714_521_601_000_000n},
      },
    },
    pendingDrops: ['gone', 'gone__2'],
    reservedTables: ['coming'],
    formerTables: ['went', 'went__2'],
    runs: [
      {
        id: '20240502-000000-abcdef',
        command: 'materialize-incremental',
        status: 'running',
        holder: sampleIdentity,
        startedAt: 1_714_608_000_000_000n,
        views: [],
      },
      {
        id: '20240501-000000-abcdef',
        command: 'materialize',
        status: 'failed',
        holder: sampleIdentity,
        startedAt: 1_714_521_600_000_000n,
        finishedAt: 1_714_521_601_000_000n,
        views: [
          {
            name: 'driver_hourly_stats',
            status: 'failed',
            intervals: [{start: 1n, end: 2n}],
            rows: {read: 10, written: 7, unchanged: 1, rejected: 2, deleted: 0},
            notes: ['0 rows in (a, b]'],
            error: {code: 'FS_REJECTS_EXCEEDED', message: '2 rows were rejected.', hint: 'Look at them.'},
            rejectsFile: 'rejects/x.jsonl',
          },
        ],
      },
    ],
  }
}
