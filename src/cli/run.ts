/** What `bin/run.js` starts: it runs the command that the arguments name. */
import {execute} from '@oclif/core/execute'
import {settings} from '@oclif/core/settings'

// Commands are built; in a checkout oclif would look for their sources and a compiler first.
settings.enableAutoTranspile = false

// Where stdout is a full disk or a closed pipe there is nowhere else to go. `fs … | head` closes ours early: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    process.stderr.write(`Error [FS_OUTPUT_FAILED] Standard output can't be written: ${error.message}.\n`)
    process.exitCode = 1
  }
  process.exit()
})

await execute({dir: import.meta.url})
