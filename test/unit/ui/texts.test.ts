import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DEFAULT_TEXTS } from '../../../src/ui/default-texts.ts'
import { createTexts, unknownTexts } from '../../../src/ui/texts.ts'

const src = fileURLToPath(new URL('../../../src/', import.meta.url))
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const sources = files.map((name) => ({ name, text: readFileSync(src + name, 'utf8') }))
const names = Object.keys(DEFAULT_TEXTS)

describe('texts', () => {
  it('are all used', () => {
    const pages = sources.filter(({ name }) => name.startsWith('ui/') && !name.endsWith('default-texts.ts'))
    const all = pages.map(({ text }) => text).join('\n')
    /** Made of parts where they are used. */
    const parts = [
      /^\d+$/,
      /^error\.\w+\.(title|text|next)$/,
      /^settings\.\w+\.title$/,
      /^sessions\.method\./,
      /\.to\w+\.link$/,
      /^provider_error\.\w+$/,
      /^ended(Note)?\.\w+(\.untimed)?$/,
      /^link\.\w+\.text$/,
      /^removal\.way\.\w+$/,
    ]
    const more = [/^logout\.scope\.(current|all|others)$/, /^(login|refresh|secondFactor)\.title$/]
    const fixed = names.filter((name) => ![...parts, ...more].some((pattern) => pattern.test(name)))
    assert.ok(fixed.length > 20)
    assert.deepEqual(
      fixed.filter((name) => !all.includes(`'${name}'`)),
      [],
    )
  })

  it('tell of every error that a browser can meet what happened and what to do', () => {
    const errors = sources.filter(({ name }) => /(errors|csrf)\.ts$/.test(name))
    const ids = errors.flatMap(({ text }) => [...text.matchAll(/\bid: '([a-z0-9_]{6,})'/g)].map((match) => match[1]!))
    assert.ok(ids.includes('security_csrf_violation'))
    // The first is only ever told to scripts, the second is a failure inside: the page for 500 fits.
    const without = ['browser_location_change_required', 'invalid_configuration']
    for (const id of ids.filter((known) => !without.includes(known))) {
      for (const part of ['title', 'text', 'next'])
        assert.ok(names.includes(`error.${id}.${part}`), `error.${id}.${part}`)
    }
  })

  it('say the operator’s words, filled in', () => {
    const t = createTexts({
      'signedOut.ended': '{count} weg {nichts}',
      'logout.who': 'x',
      '4000002': '{property} fehlt',
    })
    assert.equal(t.get('signedOut.ended', { count: 3 }), '3 weg {nichts}')
    assert.equal(t.get('signedOut.title'), DEFAULT_TEXTS['signedOut.title'])
    const message = { id: 4000002, text: 'Property x is missing.', type: 'error' as const, context: { property: 'x' } }
    assert.equal(t.message(message), 'x fehlt')
    assert.equal(t.message({ ...message, id: 4999999 }), 'Property x is missing.')
    assert.equal(
      createTexts({}).get('logout.who', JSON.parse('{"__proto__":"x","name":"n"}')),
      'You are signed in as n with {device}.',
    )
  })

  it('of a provider that refuses are our own, never those of the provider', () => {
    const said = (provider_error: string, own = {}) =>
      createTexts(own).message({
        ...{ id: 4000001, text: '<b>call 1-800', type: 'error' as const },
        context: { reason: '<b>call 1-800', provider: 'Acme', provider_error },
      })
    assert.match(said('access_denied'), /^You have not signed in at Acme\./)
    assert.match(said('login_required'), /^Acme wants you to sign in there first\./)
    assert.match(said('consent_required'), /^Acme tells who you are only if you agree\./)
    for (const odd of ['call 1-800', '', 'constructor', '__proto__', 'title']) {
      assert.match(said(odd), /^Acme could not sign you in\./)
    }
    assert.equal(
      said('access_denied', { 'provider_error.access_denied': 'Abbruch bei {provider}' }),
      'Abbruch bei Acme',
    )
  })

  it('that no page knows are found', () => {
    assert.deepEqual(
      unknownTexts({ 'login.title': 'x', 'login.titel': 'x', '4000007': 'x', '4999999': 'x', toString: 'x' }),
      ['login.titel', 'toString'],
    )
  })
})
