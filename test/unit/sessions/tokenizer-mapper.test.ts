import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseClaimsMapper } from '../../../src/tokens/mapper.ts'

const INPUT = {
  session: {
    id: 's1',
    active: true,
    identity: { id: 'i1', traits: { email: 'a@example.com', age: 7, tags: ['x', 'y'] } },
    devices: [{ ip_address: '192.0.2.1' }],
  },
  claims: { iss: 'https://id.example/', exp: 60 },
}
const map = (claims: unknown) => parseClaimsMapper(JSON.stringify({ claims }))(INPUT)

describe('claims mapper', () => {
  it('a lone placeholder keeps the type of its value', () => {
    assert.deepEqual(
      map({
        tags: '{{ session.identity.traits.tags }}',
        age: '{{session.identity.traits.age}}',
        on: '{{ session.active }}',
        ip: '{{ session.devices.0.ip_address }}',
        all: '{{ claims }}',
      }),
      { tags: ['x', 'y'], age: 7, on: true, ip: '192.0.2.1', all: INPUT.claims },
    )
  })

  it('texts are put together, plain values and nesting stay', () => {
    assert.deepEqual(map({ a: { b: ['{{ claims.iss }}u/{{ session.id }}', 1, null, 'plain {x}'] } }), {
      a: { b: ['https://id.example/u/s1', 1, null, 'plain {x}'] },
    })
  })

  it('what is not there is null, and the prototype is not there', () => {
    assert.deepEqual(
      map({ a: '{{ session.identity.nope.deep }}', b: '{{ session.constructor }}', c: '{{ session.id.length }}' }),
      {
        a: null,
        b: null,
        c: null,
      },
    )
  })

  it('a value is not read as a template again', () => {
    const input = { ...INPUT, session: { id: '{{ claims.iss }}' } }
    assert.deepEqual(parseClaimsMapper('{"claims":{"a":"{{ session.id }}","b":"x{{ session.id }}"}}')(input), {
      a: '{{ claims.iss }}',
      b: 'x{{ claims.iss }}',
    })
  })

  it('no list, object or absent value inside a text', () => {
    for (const path of ['session.identity', 'session.identity.traits.tags', 'session.nope']) {
      assert.throws(() => map({ a: `x {{ ${path} }}` }), new RegExp(`${path} is no text`))
    }
  })

  for (const [what, text, reason] of [
    ['what is neither JSON nor Jsonnet', '{claims: }', /mapper:1:10: Unexpected: "}"/],
    ['an unknown variable', '{claims: {a: session.id}}', /mapper:1:14: Unknown variable: session/],
    ['no claims', '{"sub": "x"}', /no member "claims"/],
    ['claims that are a list', '{"claims": []}', /no member "claims"/],
    [
      'a misspelt placeholder',
      '{"claims": {"a": [{"b": "{{ identity.id }}"}]}}',
      /\{\{ identity\.id \}\}, which begins/,
    ],
  ] as const) {
    it(`${what} is refused when it is read`, () => assert.throws(() => parseClaimsMapper(text), reason))
  }
})

describe('claims mapper in Jsonnet', () => {
  const session = "local session = std.extVar('session'); "

  it('reads session and claims', () => {
    const text = `${session}local traits = session.identity.traits;
      { claims: { email: traits.email, tags: [std.asciiUpper(t) for t in traits.tags], iss: std.extVar('claims').iss,
        [if traits.age >= 18 then 'adult']: true, ip: session.devices[0].ip_address } }`
    assert.deepEqual(parseClaimsMapper(text)(INPUT), {
      email: 'a@example.com',
      tags: ['X', 'Y'],
      iss: 'https://id.example/',
      ip: '192.0.2.1',
    })
  })

  it('one program serves many sessions', () => {
    const mapper = parseClaimsMapper(`${session}{ claims: { id: session.id } }`)
    assert.deepEqual(
      ['a', 'b', 'a'].map((id) => mapper({ ...INPUT, session: { id } }).id),
      ['a', 'b', 'a'],
    )
  })

  for (const [what, text, reason] of [
    [
      'a member that is not there',
      `${session}{ claims: { a: session.nope } }`,
      /mapper:1:63: Field does not exist: nope$/,
    ],
    ['its own words', `${session}{ claims: if session.active then error 'not today' else {} }`, /not today$/],
    ['no object', '[1, 2,]', /made no object with a member "claims"/],
    ['claims that are a list', '{ claims: [] }', /made no object with a member "claims"/],
    ['work without an end', 'local f(n) = f(n + 1) tailstrict; f(0)', /takes more than \d+ steps/],
  ] as const)
    it(`fails with ${what}`, () => assert.throws(() => parseClaimsMapper(text)(INPUT), reason))

  it('tells when it is read what can only fail later', () => {
    const doubts: string[] = []
    parseClaimsMapper("if true then { claims: {} } else std.nope(import 'a')", (doubt) => doubts.push(doubt))
    assert.deepEqual(doubts, ['mapper:1:38: std.nope does not exist', 'mapper:1:43: a cannot be imported'])
  })
})
