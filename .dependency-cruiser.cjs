/**
 * The arrows between rooms (CONTRIBUTING.md has the table with its reasons). A room may import what stands behind it
 * here and nothing else of `src`.
 */
const arrows = {
  errors: [],
  'output-file': ['errors'],
  examination: ['definitions'],
  patiently: [],
  aws: ['errors'],
  'examine-folder': ['examination'],
  definitions: ['errors'],
  config: ['definitions', 'errors'],
  compile: ['definitions', 'errors'],
  repo: ['definitions', 'config', 'compile', 'errors'],
  registry: ['definitions', 'errors', 'examination', 'examine-folder', 'patiently', 'aws'],
  online: ['definitions', 'errors', 'examination', 'examine-folder', 'patiently', 'aws'],
  offline: ['compile', 'definitions', 'errors', 'output-file', 'examination', 'examine-folder', 'patiently', 'aws'],
  doctor: [
    'definitions',
    'config/repo-config',
    'errors',
    'examination',
    'registry/registry',
    'registry/location',
    'offline/offline-store',
    'online/online-store',
  ],
  plan: [
    'definitions',
    'errors',
    'registry/registry',
    'registry/table-names',
    'registry/view-coverage',
    'registry/update-registry',
    'online/online-store',
    'online/online-table',
    'online/store-identity',
  ],
  materialize: [
    'definitions',
    'compile',
    'errors',
    'registry/registry',
    'registry/table-names',
    'registry/view-coverage',
    'registry/update-registry',
    'offline/offline-store',
    'online/online-store',
    'online/online-table',
    'online/shared-note',
    'online/store-identity',
    'online/pacing',
  ],
  verify: [
    'definitions',
    'compile',
    'errors',
    'materialize/choose-views',
    'materialize/intervals',
    'materialize/lost-table',
    'materialize/plan-load',
    'registry/registry',
    'offline/offline-store',
    'online/online-store',
    'online/online-table',
  ],
  retrieval: [
    'definitions',
    'compile',
    'errors',
    'registry/registry',
    'offline/offline-store',
    'online/online-store',
    'online/online-table',
  ],
  cli: ['definitions', 'config', 'errors', 'plan', 'registry/registry', 'feature-store'],
  commands: [
    'definitions',
    'cli',
    'feature-store',
    'errors',
    'init',
    'plan/plan',
    'registry/location',
    'registry/registry',
    'output-file',
    'offline/run-script',
  ],
  init: ['errors'],
}

const roomPath = (room) => `^src/${room}(/|\\.ts$)`

module.exports = {
  forbidden: [
    ...Object.entries(arrows).map(([room, allowed]) => ({
      name: `arrows-from-${room}`,
      severity: 'error',
      from: {path: roomPath(room)},
      to: {path: '^src/', pathNot: [room, ...allowed].map(roomPath)},
    })),
    {name: 'no-cycles', severity: 'error', from: {}, to: {circular: true}},
    {
      name: 'drivers-only-by-their-map',
      comment: 'A driver folder is imported by its drivers.ts and by itself, by nothing else.',
      severity: 'error',
      from: {pathNot: '^src/(offline|online|registry)/((drivers|run-script)\\.ts|[^/]+/)'},
      to: {path: '^src/(offline|online|registry)/[^/]+/', pathNot: '^src/online/pacing/'},
    },
    {
      name: 'drivers-apart',
      severity: 'error',
      from: {path: '^src/(offline|online|registry)/([^/]+)/'},
      to: {
        path: '^src/(offline|online|registry)/[^/]+/',
        // What every driver of a server shares; what a warehouse hands over is finished by DuckDB.
        pathNot: ['^src/$1/$2/', '^src/online/pacing/', '^src/offline/duckdb/'],
      },
    },
    {
      name: 'clients-in-their-drivers',
      comment: 'A third-party client only inside its driver folder.',
      severity: 'error',
      from: {
        pathNot:
          '^src/(aws|catalog|offline/(duckdb|redshift)|online/(embedded|redis|cassandra)|registry/s3)/',
      },
      to: {path: 'node_modules/(@duckdb|lmdb|ioredis|cassandra-driver|@aws-sdk)/'},
    },
  ],
  options: {
    tsConfig: {fileName: 'tsconfig.json'},
    tsPreCompilationDeps: true,
    doNotFollow: {path: 'node_modules'},
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
