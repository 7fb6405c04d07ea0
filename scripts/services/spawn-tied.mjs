import {spawn} from 'node:child_process'

/** Waits beside the command, and kills it once there is nobody to write to its standard input any more. */
const keeper = `exec 3<&0
"$@" 3<&- &
command=$!
(read -r _ <&3; kill -KILL "$command") &
watch=$!
wait "$command"
status=$?
kill "$watch"
exit "$status"`

/**
 * Starts a command that never outlives this process, however this one ends (SIGKILL too), and that `stdin.end()` kills.
 * Its output goes to a file descriptor.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} output
 * @returns {import('node:child_process').ChildProcess}
 */
export function spawnTied(command, args, output) {
  return spawn('sh', ['-c', keeper, 'sh', command, ...args], {stdio: ['pipe', output, output]})
}
