import type { Sql } from './client.ts'

/** The values of a statement: in the order of its `$n`, or by the names of its `:name`. */
export type Values = readonly unknown[] | Readonly<Record<string, unknown>>

/** Tokens that may hold a colon without being a parameter: texts, quoted names, comments, casts. Then a parameter. */
const TOKENS =
  /\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|::|:=|\$\d+|:([a-z_]\w*)/gi

/**
 * Numbers the parameters of a statement in the order of their first use.
 * @throws Error for a text that has both kinds of parameters
 */
export function numbered(name: string, text: string): Sql {
  const names: string[] = []
  let positional = false
  const resolved = text.replace(TOKENS, (token: string, _tag: string | undefined, parameter: string | undefined) => {
    if (/^\$\d/.test(token)) positional = true
    if (parameter === undefined) return token
    if (!names.includes(parameter)) names.push(parameter)
    return `$${names.indexOf(parameter) + 1}`
  })
  if (names.length === 0) return { name, text }
  if (positional) throw new Error(`${name} has parameters with names and parameters with numbers`)
  return { name, text: resolved, names }
}

/**
 * The values in the order of the statement's parameters. Surplus ones are ignored: one object may serve several statements.
 * @throws Error when one is missing, or undefined
 */
export function inOrder({ name, names }: Sql, values: Values): readonly unknown[] {
  if (!names) {
    if (Array.isArray(values)) return values
    throw new Error(`${name} numbers its parameters: give a list of values`)
  }
  const given = values as Readonly<Record<string, unknown>>
  return names.map((parameter) => {
    const value = Object.hasOwn(given, parameter) ? given[parameter] : undefined
    if (value === undefined) throw new Error(`${name} lacks a value for :${parameter}`)
    return value
  })
}
