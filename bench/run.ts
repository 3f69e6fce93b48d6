/** What sessions cost: `npm run bench -- --help`. One wrong answer makes a run invalid. */
import { writeFileSync } from 'node:fs'
import { HELP, type Options, parseArguments, WrongArguments } from './arguments.ts'
import { costs } from './costs.ts'
import { writeDocument } from './document.ts'
import { interference } from './interference.ts'
import { endWithSignals } from './processes.ts'
import { scale } from './scale.ts'
import { startTimes } from './start.ts'
import { asText, conditions, tablesOf } from './tables.ts'

const MODES = { load: costs, interference, scale, start: startTimes }
const progress = (text: string) => process.stderr.write(`${text}\n`)

async function main(options: Options): Promise<void> {
  const { mode, json, write } = options
  const { result, runs } = await MODES[mode](options, progress)
  process.stdout.write(`\n${conditions(result)}\n\n${tablesOf(result).map(asText).join('\n')}`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...result, runs }, null, 2)}\n`)
  if (write) progress(`written: ${writeDocument(result).join(', ')}`)
}

endWithSignals()
try {
  const options = parseArguments(process.argv.slice(2))
  if (options === undefined) process.stdout.write(HELP)
  else await main(options)
  process.exit(0)
} catch (error) {
  progress(error instanceof WrongArguments ? error.message : String((error as Error).stack))
  process.exit(1)
}
