/** What `bin/run.js` starts: it runs the command that the arguments name. */
import {execute} from '@oclif/core/execute'
import {settings} from '@oclif/core/settings'

// Commands are built; in a checkout oclif would look for their sources and a compiler first.
settings.enableAutoTranspile = false

await execute({dir: import.meta.url})
