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

// On Node 20 the SDK of AWS warns at each start that it will want a newer Node some day. Its version is pinned, and cron
// mails whatever is printed.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

// What the product itself warns of is for people; Node would add its process id and how to trace it.
process.removeAllListeners('warning')
process.on('warning', ({name, message}) => {
  process.stderr.write(name === 'FeatureStoreWarning' ? `Warning: ${message}\n` : `${name}: ${message}\n`)
})

await execute({dir: import.meta.url})
