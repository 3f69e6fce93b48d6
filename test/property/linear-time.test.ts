import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CALLS, ELSEWHERE, EXCUSED } from './text-functions.ts'

/**
 * Every exported function that takes text from outside costs time linear in it. The text of each shape is made eight
 * times as long again and again: what is linear takes eight times as long then, what is quadratic 64 times, so that either
 * may be measured wrongly by more than twice. Times below the floor are not compared, and a ratio counts only if it is seen
 * each time it is measured anew.
 */
const SIZES = [1024, 8192, 65_536]
const GROWTH = 8
const FLOOR_MS = 25
const RATIO = 24
/** A collection of garbage beside it takes longer than a few tries; what is quadratic is so in each. */
const TRIES = 12

const CHARACTERS = [...'a0 \t\n\r/\\.,;:=-+_*"\'<>&%[]{}()|$@#?!~A9é\u00a0\u2028\0\u{1f600}İ']
const WORDS = [
  '://',
  'a://',
  'a+',
  '%2',
  '%zz',
  '/..',
  '{{',
  '}}',
  '--',
  ', ',
  '; ',
  ' ,',
  'a=',
  '&a=',
  '::',
  '1.',
  'q=',
  '":"',
  '"a",',
  'ory_st_',
  'Version/1 ',
  'ff:',
  '.1',
  '=a',
]

type Shape = (size: number) => string
const repeat = (text: string, size: number) => text.repeat(Math.ceil(size / text.length))
const SHAPES: Record<string, Shape> = {
  ...Object.fromEntries(
    [...CHARACTERS, ...WORDS].flatMap((text): [string, Shape][] => [
      [`${JSON.stringify(text)} only`, (size) => repeat(text, size)],
      [`${JSON.stringify(text)} between`, (size) => `a${repeat(text, size)}!`],
      [`${JSON.stringify(text)} by turns`, (size) => repeat(`${text}b`, size)],
    ]),
  ),
  lists: (size) => `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
  objects: (size) => `${repeat('{"a":', size)}1${repeat('}', size / 5)}`,
  numbers: (size) => `[${repeat('1,', size)}1]`,
  members: (size) => `{${Array.from({ length: size / 8 }, (_, i) => `"${i}":${i}`).join()}}`,
  fields: (size) => Array.from({ length: size / 8 }, (_, i) => `n${i}=1`).join('&'),
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} takes time linear in its text`, () => {
    for (const [shape, make] of Object.entries(SHAPES)) {
      const broken = isLinear(call, make)
      if (broken !== undefined) assert.fail(`${shape}: ${broken}`)
    }
  })
}

test('a function whose time grows with the square is found', () => {
  const quadratic = (text: string) => void text.replace(/a+$/, '')
  assert.ok(isLinear(quadratic, (size) => `${'a'.repeat(size)}b`))
  const twice = (text: string) => void [...text].every((c, i, all) => all.indexOf(c) >= 0 && all.indexOf('x') < i)
  assert.ok(isLinear(twice, (size) => 'a'.repeat(size)))
})

test('every exported function that takes text is timed, or it is said why not', async () => {
  const found = textFunctions(new URL('../../src/', import.meta.url).pathname)
  const known = new Set([...Object.keys(CALLS), ...Object.keys(EXCUSED)])
  assert.deepEqual(
    found.filter((name) => !known.has(name) && !ELSEWHERE.some((folder) => name.startsWith(folder))),
    [],
  )
  assert.deepEqual(
    Object.keys(EXCUSED).filter((name) => !found.includes(name)),
    [],
    'excused, and not there',
  )
})

test('no expression looks for the end of a text from each place inside a repeated class', () => {
  const root = new URL('../../src/', import.meta.url).pathname
  const literal = /(?<=[(=,:?&|!{[]\s*)\/(?![*/^])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g
  const found = sources(root).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(literal)]
      .map(([text]) => text)
      .filter((text) => /[^\\][+*]\)?\$\/[a-z]*$/.test(text) || /^\/\\s[*+]/.test(text))
      .map((text) => `${file}: ${text}`),
  )
  assert.deepEqual(
    found.filter((text) => !CUT.has(text)),
    [],
  )
})

/** Expressions on a text that is short by then: addresses, six digits, a host, 512 bytes. */
const CUT = new Set([
  'kernel/base/address.ts: /%.*$/',
  'kernel/base/address.ts: /(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$/',
  'kernel/base/clock.ts: /0+$/',
  'kernel/http/return-to.ts: /:\\d*$/',
  'sessions/http/device.ts: /\\uFFFD+$/',
])

/** @returns what was measured where the time grows faster than the text, and stays so when it is measured anew */
function isLinear(call: (text: string) => unknown, make: Shape): string | undefined {
  let before = Number.POSITIVE_INFINITY
  for (const size of SIZES) {
    const text = make(size)
    const small = make(size / GROWTH)
    let now = milliseconds(call, text)
    for (let tries = 1; now > FLOOR_MS && now / before > RATIO; tries++) {
      if (tries === TRIES) return `${before.toFixed(1)} ms for ${size / GROWTH}, ${now.toFixed(1)} ms for ${size}`
      before = Math.max(before, milliseconds(call, small))
      now = Math.min(now, milliseconds(call, text))
    }
    before = Math.max(now, FLOOR_MS / RATIO)
  }
  return undefined
}

/** CPU time of this process, so that others on the machine do not count. */
function milliseconds(call: (text: string) => unknown, text: string): number {
  const start = process.cpuUsage()
  try {
    call(text)
  } catch {
    // Most of it is nonsense.
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** What operators write and run is trusted. */
const TRUSTED = /^(cli|serve|api|app|config|commands|compose|adopt|maintenance|ops|kernel\/db|kernel\/http\/openapi)\b/
const DECLARED =
  /^export (?:async )?(?:function (\w+)(?:<[^(\n]*>)?\(|const (\w+) = (?:async )?\()\s*\w+\??: (?:readonly )?(?:string|Buffer|Uint8Array|URLSearchParams|Json|JsonObject|unknown|FastifyRequest)\b/gm

function sources(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('openapi.ts') && !TRUSTED.test(file),
  )
}

/** `folder/file name` of each. */
function textFunctions(root: string): string[] {
  return sources(root)
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(DECLARED)].map(
        ([, name, constant]) => `${file.slice(0, -3)} ${name ?? constant}`,
      ),
    )
    .sort()
}
