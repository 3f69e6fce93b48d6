import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyPatch, PatchError, readPatch } from '../../../src/identities/admin/json-patch.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import fc from '../../helpers/fast-check.ts'

const apply = (document: JsonObject, ...patch: JsonObject[]) => applyPatch(document, readPatch(patch))

describe('JSON patch', () => {
  const cases: [string, JsonObject, JsonObject[], Json][] = [
    ['adds a member', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['replaces a member', { a: 1 }, [{ op: 'replace', path: '/a', value: null }], { a: null }],
    ['adds what should be replaced and is not there', {}, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }],
    ['makes missing parents', {}, [{ op: 'add', path: '/a/b/c', value: 1 }], { a: { b: { c: 1 } } }],
    ['makes a parent of null', { a: null }, [{ op: 'add', path: '/a/b', value: 1 }], { a: { b: 1 } }],
    ['makes a list for an index', {}, [{ op: 'add', path: '/a/-', value: 1 }], { a: [1] }],
    ['inserts into a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['appends to a list', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['replaces an item', { a: [1, 2] }, [{ op: 'replace', path: '/a/1', value: 9 }], { a: [1, 9] }],
    ['removes an item', { a: [1, 2] }, [{ op: 'remove', path: '/a/0' }], { a: [2] }],
    ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['unescapes names', { 'a/b': { '~': 1 } }, [{ op: 'replace', path: '/a~1b/~0', value: 2 }], { 'a/b': { '~': 2 } }],
    ['knows the empty name', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: 2 }], 2],
  ]
  for (const [name, document, patch, expected] of cases) {
    test(name, () => {
      const before = structuredClone(document)
      assert.deepEqual(apply(document, ...patch), expected)
      assert.deepEqual(document, before, 'the original is left alone')
    })
  }

  const refused: [string, JsonObject, Json][] = [
    ['a member that is not there', {}, [{ op: 'remove', path: '/a' }]],
    ['an item behind the end', { a: [1] }, [{ op: 'replace', path: '/a/1', value: 1 }]],
    ['an insertion behind the end', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }]],
    ['a name in a list', { a: [1] }, [{ op: 'add', path: '/a/x', value: 1 }]],
    ['a step into a text', { a: 'x' }, [{ op: 'add', path: '/a/b', value: 1 }]],
    ['no value', {}, [{ op: 'add', path: '/a' }]],
    ['no path', {}, [{ op: 'add', value: 1 }]],
    ['a relative path', {}, [{ op: 'add', path: 'a', value: 1 }]],
    ['other operations', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }]],
    ['an operation that is none', {}, [null]],
    ['no list', {}, {}],
  ]
  for (const [name, document, patch] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => applyPatch(document, readPatch(patch)), PatchError))
  }

  test('reaches nothing but members of its own', () => {
    const patched = apply({}, { op: 'add', path: '/__proto__/polluted', value: true }) as JsonObject
    assert.deepEqual(Object.keys(patched), ['__proto__'])
    assert.equal(({} as JsonObject).polluted, undefined)
    assert.throws(() => apply({}, { op: 'remove', path: '/constructor' }), PatchError)
  })

  test('what was added is there, and removing it restores the document', () => {
    const name = fc.string({ maxLength: 4 })
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), name, fc.jsonValue(), (document, key, value) => {
        fc.pre(!Object.hasOwn(document, key))
        const base = JSON.parse(JSON.stringify(document)) as JsonObject
        const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const added = apply(base, { op: 'add', path, value: value as Json }) as JsonObject
        assert.deepEqual(Object.getOwnPropertyDescriptor(added, key)?.value, value)
        assert.deepEqual(apply(added, { op: 'remove', path }), base)
      }),
    )
  })
})
