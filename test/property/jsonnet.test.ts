import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate, JsonnetError, type Limits } from '../../src/kernel/jsonnet/index.ts'
import { showNumber, showPlain } from '../../src/kernel/jsonnet/numbers.ts'
import fc from '../helpers/fast-check.ts'

/** Whatever a program is, it makes JSON or fails in its own way. @returns CPU milliseconds */
function run(source: string, limits: Partial<Limits> = {}, extVars: Record<string, string> = {}): number {
  const start = process.cpuUsage()
  try {
    JSON.parse(evaluate(source, { file: 'p', limits, extVars }))
  } catch (error) {
    assert(error instanceof JsonnetError, `${source.slice(0, 200)}: ${(error as Error).stack}`)
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

const WORDS = [
  ...'{ } [ ] ( ) , ; : :: ::: +: . + - * / % == != < <= && || ! ~ & | ^ << >> = $ a b x f _ 1 2.5 0 1e3'.split(' '),
  ...'local if then else for in function self super assert error null true false tailstrict import'.split(' '),
  ...[
    "'s'",
    '"t"',
    "@'v'",
    '|||\n  t\n|||',
    'std',
    'std.length',
    'std.map',
    'std.foldl',
    'std.join',
    'std.range',
    '// c\n',
    '/* c */',
  ],
]

describe('programs of any words', () => {
  it('make JSON or fail in their own way', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }), (words) => void run(words.join(' '))),
      { numRuns: 3000 },
    ))

  it('and so do those of any characters', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => void run(text)),
      { numRuns: 1000 },
    ))

  it('and functions of the library with arguments of any kind', () => {
    const names = JSON.parse(evaluate('std.objectFieldsAll(std)', { file: 'p' })) as string[]
    const value = fc.constantFrom(...VALUES)
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(value, { maxLength: 4 }), (name, args) => {
        run(`std.${name}(${args.join(', ')})`, { steps: 20_000, size: 20_000 })
      }),
      { numRuns: 4000 },
    )
  })
})

const VALUES = [
  ...'null true false 0 1 -1 2.5 1e300 -1e9 4294967296 [] [1,2] [[]] {} {a:1} {a::1} "" "a" "%d" "%s" "a,b" std'.split(
    ' ',
  ),
  ...['"\u{1f600}"', '"{}"', '"- a"', '[3, 1, 2]', '["b", "a"]', '{ a: { b: [null] } }', 'std.repeat("a", 5000)'],
  ...[
    'function(x) x',
    'function(x, y) y',
    'function() 1',
    'error "e"',
    'std.range(1, 900)',
    '{ a: self }',
    'function(x) x > 1',
  ],
]

describe('JSON', () => {
  it('comes through as it is, up to the order of names', () =>
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value)
        const expected = JSON.parse(text.toWellFormed())
        assert.deepEqual(JSON.parse(evaluate(text, { file: 'p' })), expected)
        const input = { file: 'p', extCodes: { v: text } }
        assert.deepEqual(JSON.parse(evaluate("std.extVar('v')", input)), expected)
        for (const write of ['manifestJson', 'manifestJsonMinified', 'toString'])
          assert.equal(evaluate(`local v = std.extVar('v'); std.parseJson(std.${write}([v])) == [v]`, input), 'true\n')
      }),
    ))

  it('numbers are read back as they were', () =>
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Number(showNumber(value)), value)
        assert.equal(Number(showPlain(value)), value)
      }),
      { numRuns: 3000 },
    ))
})

/** Programs without an end. */
const ENDLESS = {
  calls: 'local f(n) = f(n + 1) tailstrict; f(0)',
  recursion: 'local f(n) = if n < 2 then n else f(n - 1) + f(n - 2); f(90)',
  comprehensions: '[1 for a in std.range(1, 900) for b in std.range(1, 900) for c in std.range(1, 900)]',
  lists: 'std.foldl(function(a, x) a + [x], std.range(1, 9000), [])',
  objects: 'std.foldl(function(a, x) a + { ["k" + x]: x }, std.range(1, 9000), {})',
  fields:
    'local o = { [""+i]: i for i in std.range(1, 900) }; std.foldl(function(a, x) a + std.length(std.prune(o)), std.range(1, 9000), 0)',
  sorting: 'std.foldl(function(a, x) std.sort(a, keyF=function(y) -y), std.range(1, 9000), std.range(1, 500))',
  texts: 'std.foldl(function(a, x) std.strReplace(a, "a", "aa")[:9000], std.range(1, 90000), "aaaa")',
  places:
    'local s = std.repeat("\u{1f600}a", 4000), t = std.repeat("\u{1f601}", 4000); std.foldl(function(n, i) n + std.length(s[i % 4000] + t[i % 4000]), std.range(1, 9000), 0)',
  'hidden fields':
    'local o = { [""+i]: i for i in std.range(1, 900) }, h = std.foldl(function(a, k) a { [k]:: 1 }, std.objectFields(o), o); std.foldl(function(n, i) n + std.length(h), std.range(1, 90000), 0)',
  locals: `std.foldl(function(n, i) n + { ${Array.from({ length: 400 }, (_, i) => `local v${i} = ${i}, `).join('')}a: 1 }.a, std.range(1, 90000), 0)`,
  stripping:
    'local c = std.repeat("b", 9000); std.foldl(function(n, i) n + std.length(std.stripChars("a", c)), std.range(1, 90000), 0)',
  numbers: 'std.foldl(function(n, i) n + std.length("%d" % 1e308), std.range(1, 90000), 0)',
  layers:
    'local o = std.foldl(function(a, x) a { ["k" + x]: x }, std.range(1, 200), {}); std.foldl(function(n, i) if "z" in o then n else n + 1, std.range(1, 90000), 0)',
  equality: 'local d(n) = if n == 0 then [] else local x = d(n - 1); [x, x]; d(60) == d(60)',
  formats: 'std.foldl(function(n, i) n + std.length("%500d|%s" % [i, std.range(1, 50)]), std.range(1, 90000), 0)',
  documents:
    'local o = { [""+i]: [i] for i in std.range(1, 100) }; std.foldl(function(n, i) n + std.length(std.manifestYamlDoc(o) + std.manifestToml(o) + std.manifestJson(o)), std.range(1, 9000), 0)',
}

/** Takes a text of any length. */
const OF_TEXT = [
  ...'length asciiUpper trim stringChars reverse escapeStringJson escapeStringXML escapeStringBash base64 md5'.split(
    ' ',
  ),
  ...'encodeUTF8 parseJson parseInt parseHex toString isEmpty'.split(' '),
].map((name) => `std.${name}(t)`)
const OF_TWO = [
  "std.split(t, 'a')",
  "std.splitLimit(t, 'a', 3)",
  "std.splitLimitR(t, ' ', 3)",
  "std.strReplace(t, 'a', 'bb')",
  "std.stripChars(t, 'a ')",
  "std.findSubstr('aab', t)",
  'std.member(t, "zz")',
  't[1:]',
  't[::2]',
  't == t + "a"',
  't < t + "a"',
  '"%s" % t',
  't % []',
  'std.flatMap(function(c) c, t)',
  'std.manifestYamlDoc(t)',
  'std.manifestJsonEx(t, " ")',
]

describe('time', () => {
  for (const [name, source] of Object.entries(ENDLESS))
    it(`follows the steps: ${name}`, () => {
      grows((steps) => run(source, { steps }), [50_000, 200_000, 800_000])
    })

  for (const expression of [...OF_TEXT, ...OF_TWO])
    it(`follows the length of a text: ${expression}`, () => {
      for (const part of ['a', ' ', '%s', '\u{1f600}', '"', '['])
        grows(
          (length) =>
            run(`local t = std.extVar('t'); std.length(std.toString(${expression}))`, LARGE, {
              t: part.repeat(length / part.length),
            }),
          [16_384, 65_536, 262_144],
        )
    })
})

const LARGE = { steps: 1e9, size: 1e8 }
const FLOOR_MS = 250
/** Squares would take sixteen times as long. What fills the memory of a busy machine's caches was seen to take ten. */
const RATIO = 13

/** What is four times as much may take thirteen times as long, if it takes long at all, and once of four times. */
function grows(measure: (size: number) => number, sizes: readonly number[]): void {
  for (let index = 1; index < sizes.length; index += 1) {
    const seen: string[] = []
    for (let tries = 0; ; tries += 1) {
      const before = Math.max(measure(sizes[index - 1]!), FLOOR_MS / RATIO)
      const now = measure(sizes[index]!)
      if (now < FLOOR_MS || now / before <= RATIO) break
      seen.push(`${before.toFixed(1)} ms for ${sizes[index - 1]}, ${now.toFixed(1)} ms for ${sizes[index]}`)
      if (tries === 3) assert.fail(seen.join('; '))
    }
  }
}
