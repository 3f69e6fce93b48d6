import type { Machine } from '../machine.ts'
import { type Cell, type Field, force, JsonnetObject } from '../values.ts'
import { arrays } from './arrays.ts'
import { encoding } from './encoding.ts'
import { format } from './format.ts'
import { json } from './json.ts'
import { asText, type Library, lazy, strict } from './kit.ts'
import { otherFormats } from './manifest-others.ts'
import { toml } from './manifest-toml.ts'
import { yaml } from './manifest-yaml.ts'
import { math } from './math.ts'
import { objects } from './objects.ts'
import { sets } from './sets.ts'
import { strings } from './strings.ts'
import { types } from './types.ts'

/** What of the library depends on the evaluation. */
export interface Surroundings {
  externals: ReadonlyMap<string, Cell>
  thisFile: string
  trace: (text: string) => void
}

const LIBRARY: Library = {
  ...types,
  ...math,
  ...strings,
  ...arrays,
  ...objects,
  ...sets,
  ...encoding,
  ...json,
  ...yaml,
  ...toml,
  ...otherFormats,
  format: strict(['str', 'vals'], (machine, text, values) => format(machine, asText(machine, text), values)),
}

const hidden = (cell: Cell): Field => ({ visibility: 1, value: { cell } })

const FIELDS: ReadonlyMap<string, Field> = new Map(
  Object.entries<Cell>({ ...LIBRARY, pi: Math.PI }).map(([name, cell]) => [name, hidden(cell)]),
)
const OF_EVALUATION = ['extVar', 'trace', 'thisFile']

/** Whether `std` has it: unknown names are found before a program runs. */
export const inLibrary = (name: string): boolean => FIELDS.has(name) || OF_EVALUATION.includes(name)

export function library(machine: Machine, { externals, thisFile, trace }: Surroundings): JsonnetObject {
  const fields = new Map<string, Field>()
  const ofEvaluation: Library = {
    extVar: strict(['x'], (_, name) => {
      const cell = externals.get(asText(machine, name))
      if (cell === undefined) throw machine.fail(`Undefined external variable: ${name}`)
      return force(cell)
    }),
    trace: lazy(['str', 'rest'], (_, text, rest) => {
      trace(asText(machine, force(text)))
      return force(rest)
    }),
  }
  for (const [name, cell] of Object.entries(ofEvaluation)) fields.set(name, hidden(cell))
  fields.set('thisFile', hidden(thisFile))
  const base = { fields: FIELDS as Map<string, Field>, env: null, locals: [], asserts: [] }
  return new JsonnetObject([base, { ...base, fields }])
}
