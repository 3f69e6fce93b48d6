import { readFileSync } from 'node:fs'

/** The version of the contract, as clients see it. */
export const VERSION = 'v26.2.0'

/** The version of this program. */
export const LETHE_VERSION: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version
