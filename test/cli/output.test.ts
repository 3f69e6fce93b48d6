import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atPath, atPointer } from '../../src/commands/kit/query.ts'
import { formatTable } from '../../src/commands/kit/table.ts'

const ID = '29adceaf-bc63-49f1-b8f6-e7350d2c70f5'
const URL = 'http://127.0.0.1:4433/schemas/ZGVmYXVsdA'
const MAIL = 'cli-b@example.org'

/** As recorded from Kratos v26.2.0. */
describe('tables', () => {
  it('lists as Kratos does', () => {
    const head = ['ID', 'VERIFIED ADDRESSES', 'RECOVERY ADDRESSES', 'SCHEMA ID', 'SCHEMA URL']
    const rows = [head, [ID, MAIL, MAIL, 'default', URL], [''], ['NEXT PAGE TOKEN', '']]
    const recorded = [
      'ID\t\t\t\t\tVERIFIED ADDRESSES\tRECOVERY ADDRESSES\tSCHEMA ID\tSCHEMA URL\t\t\t\t\t',
      `${ID}\t${MAIL}\t${MAIL}\tdefault\t\t${URL}\t`,
      '\t\t\t\t\t',
      'NEXT PAGE TOKEN\t\t\t\t\t',
    ]
    assert.equal(formatTable(rows), `${recorded.join('\n')}\n`)
  })

  it('shows one row as Kratos does', () => {
    const rows = [
      ['ID', ID],
      ['VERIFIED ADDRESSES', MAIL],
      ['SCHEMA ID', 'default'],
      ['SCHEMA URL', URL],
    ]
    const recorded = [
      `ID\t\t\t${ID}\t\t`,
      `VERIFIED ADDRESSES\t${MAIL}\t\t\t\t`,
      'SCHEMA ID\t\tdefault\t\t\t\t\t\t',
      `SCHEMA URL\t\t${URL}\t`,
    ]
    assert.equal(formatTable(rows), `${recorded.join('\n')}\n`)
  })
})

describe('queries', () => {
  const value = {
    identities: [
      { id: 'a', traits: { email: 'a@x.org', age: 30 }, 'dotted.name': 1 },
      { id: 'b', traits: { email: 'b@x.org', age: 40 } },
    ],
  }
  const paths: [string, unknown][] = [
    ['identities.#', 2],
    ['identities.#.id', ['a', 'b']],
    ['identities.1.traits.email', 'b@x.org'],
    ['identities.0.dotted\\.name', 1],
    ['identities.0.tr*.email', 'a@x.org'],
    ['identities.#(traits.email=="b@x.org").id', 'b'],
    ['identities.#(id==b).id', 'b'],
    ['identities.#(traits.age>35)#.id', ['b']],
    ['identities.#(traits.age<50)#.id', ['a', 'b']],
    ['identities.#(traits.age>50).id', undefined],
    ['identities.7.id', undefined],
    ['constructor', undefined],
    ['identities.length', undefined],
  ]
  for (const [path, expected] of paths) {
    it(`path ${path}`, () => assert.deepEqual(atPath(value, path), expected))
  }

  it('pointers', () => {
    assert.equal(atPointer(value, '/identities/0/traits/email'), 'a@x.org')
    assert.equal(atPointer({ 'a/b': { '~': 1 } }, '/a~1b/~0'), 1)
    assert.equal(atPointer(value, ''), value)
    assert.equal(atPointer(value, 'identities'), undefined)
    assert.equal(atPointer(value, '/__proto__'), undefined)
  })
})
