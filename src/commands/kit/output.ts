import type { Command } from 'commander'
import { type ScalarTag, stringify } from 'yaml'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { ExactNumber, isNumber } from '../../kernel/base/exact-number.ts'
import { Failure } from './errors.ts'
import { type Io, print } from './io.ts'
import { atPath, atPointer } from './query.ts'
import { formatTable } from './table.ts'

export interface FormatOptions {
  format?: string
  quiet?: boolean
}

export interface Output {
  /** for json, yaml and queries */
  value: unknown
  /** rows of cells, the first being the head where there is one */
  table: readonly (readonly string[])[]
  /** one line each with `-q` */
  ids: readonly string[]
}

export function addFormatFlags(command: Command): void {
  command
    .option(
      '--format <format>',
      'table, json, json-pretty, yaml, jsonpath=PATH or jsonpointer=POINTER (default: table)',
    )
    .option('-q, --quiet', 'only the ids')
}

/** Writes a result on stdout as `--format` and `-q` ask; `-q` wins. An unknown word means the table, as in Kratos. */
export function writeFormatted(
  io: Io,
  { format = 'table', quiet }: FormatOptions,
  { value, table, ids }: Output,
): void {
  if (quiet) {
    if (ids.length > 0) print(io.stdout, ids.join('\n'))
    return
  }
  const [, kind = '', query = ''] = /^([a-z-]+)(?:=(.*))?$/s.exec(format) ?? []
  if (kind === 'json') print(io.stdout, stringifyJson(sorted(value)))
  else if (kind === 'json-pretty') print(io.stdout, stringifyJson(sorted(value), 2))
  else if (kind === 'yaml') io.stdout.write(stringify(sorted(value), { customTags: (tags) => [exactNumber, ...tags] }))
  else if (kind === 'jsonpath') print(io.stdout, stringifyJson(sorted(atPath(value, query)) ?? null, 2))
  else if (kind === 'jsonpointer') print(io.stdout, stringifyJson(sorted(pointed(value, query)) ?? null, 2))
  else io.stdout.write(formatTable(table))
}

function pointed(value: unknown, pointer: string): unknown {
  const found = atPointer(value, pointer)
  if (found === undefined) throw new Failure(`jsonpointer: there is nothing at ${JSON.stringify(pointer)}`)
  return found
}

/** For writing only: nothing is read here. */
const exactNumber: ScalarTag = {
  identify: (value) => value instanceof ExactNumber,
  default: true,
  tag: 'tag:yaml.org,2002:float',
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
}

/** Names of maps in alphabetical order, for output that can be compared. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || isNumber(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  )
}
