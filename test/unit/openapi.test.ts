import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { uncovered } from '../../scripts/generators/wire-coverage.ts'
import { apiDocument, DESCRIPTIONS } from '../../src/api.ts'
import { createAdminApp, createPublicApp } from '../../src/app.ts'
import { LETHE_VERSION } from '../../src/kernel/base/version.ts'
import { openapiDocument } from '../../src/kernel/http/openapi/openapi.ts'
import { testServer } from '../helpers/server.ts'

interface Contract {
  operations: {
    operationId: string
    method: string
    path: string
    port: string
    parameters: { in: string; name: string; required: boolean }[]
    responses: string[]
  }[]
  notServed: string[]
}

const contract: Contract = JSON.parse(
  readFileSync(new URL('../fixtures/openapi-contract.json', import.meta.url), 'utf8'),
)
const operations = DESCRIPTIONS.flatMap((description) => description.operations)

/** What differs from Kratos on purpose. */
const CHANGED: Record<string, { responses?: string[]; more?: [at: string, name: string]; why: string }> = {
  exchangeSessionToken: {
    responses: ['200', '400', '404', 'default'],
    why: 'codes that were used are not there any more',
  },
  createRecoveryCodeForIdentity: { more: ['query', 'return_to'], why: 'Kratos takes it without saying so' },
  createNativeRecoveryFlow: { more: ['header', 'X-Session-Token'], why: 'refused for somebody who is signed in' },
  updateRecoveryFlow: { more: ['header', 'X-Session-Token'], why: 'refused for somebody who is signed in' },
  getRecoveryFlow: { responses: ['200', '403', '404', '410', 'default'], why: 'the flow of another browser is 403' },
  updateVerificationFlow: { more: ['query', 'code'], why: 'links of messages fill it in' },
  createBrowserVerificationFlow: {
    responses: ['200', '303', '400', 'default'],
    why: 'a return_to that is not allowed',
  },
  deleteIdentity: { more: ['query', 'erase'], why: 'a deletion may take the name out of the records as well' },
  getVerificationFlow: { responses: ['200', '403', '404', '410', 'default'], why: 'one that has expired is 410' },
}
const ADDED = new Set([
  ...['endSessions', 'listEvents', 'getEventStatus', 'streamEvents', 'streamOwnSession'],
  ...['sendVerificationAgain', 'resetIdentitySecondFactors', 'getWebAuthnRelatedOrigins'],
  ...['listEventWebhooks', 'createEventWebhook', 'getEventWebhook', 'changeEventWebhook', 'deleteEventWebhook'],
  ...['rotateEventWebhookSecret', 'listEventDeliveries', 'getEventDelivery', 'replayEventDelivery'],
  ...['replayEventDeliveries', 'listRevocations'],
  // Kratos has them without describing them; the last one is ours.
  ...['getConfigHash', 'getMetrics', 'getOpenapi'],
])

describe('the description of the API', () => {
  for (const recorded of contract.operations) {
    test(`${recorded.operationId} is that of Kratos`, () => {
      const own = operations.find(({ id }) => id === recorded.operationId)
      assert.ok(own, 'not described')
      const changed = CHANGED[recorded.operationId]
      const parameters = (own.parameters ?? [])
        .filter((p) => p.in !== changed?.more?.[0] || p.name !== changed.more[1])
        .map((p) => ({ in: p.in, name: p.name, required: p.required === true }))
      assert.deepEqual(
        {
          ...{ method: own.method, path: own.path, port: own.port, responses: Object.keys(own.answers).sort() },
          parameters: parameters.sort((a, b) => order(`${a.in} ${a.name}`, `${b.in} ${b.name}`)),
        },
        {
          ...{ method: recorded.method, path: recorded.path, port: recorded.port },
          responses: changed?.responses ?? recorded.responses,
          parameters: recorded.parameters,
        },
      )
    })
  }

  test('has nothing beyond Kratos but what is ours', () => {
    const recorded = new Set(contract.operations.map(({ operationId }) => operationId))
    const beyond = operations.map(({ id }) => id).filter((id) => !recorded.has(id))
    assert.deepEqual(new Set(beyond), ADDED)
    assert.deepEqual(
      contract.notServed.filter((id) => operations.some((operation) => operation.id === id)),
      [],
    )
  })

  test('names only shapes that it has, and every one that it has', () => {
    const document = apiDocument(LETHE_VERSION) as { components: { schemas: object } }
    const named = new Set(
      [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name),
    )
    assert.deepEqual([...named].sort(), Object.keys(document.components.schemas).sort())
  })

  test('names every part of a path as parameter, and no other', () => {
    for (const { id, path, parameters = [] } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        id,
      )
    }
  })

  test('cannot describe one name twice', () => {
    const [first] = DESCRIPTIONS
    assert.throws(() => openapiDocument([first!, first!], '1'), /described twice/)
    const { operations: own } = first!
    assert.throws(() => openapiDocument([{ tag: 'x', operations: [own[0]!, own[0]!], schemas: {} }], '1'), /twice/)
  })

  test('has no operation that neither a recorded scenario nor a test asks for', () => assert.deepEqual(uncovered(), []))
})

/** Routes that are no operations of an API. */
const NO_OPERATION: [port: string, route: RegExp, why: string][] = [
  ['public', /^GET \/(logout|ui\/.*)?$/, 'pages for people'],
  ['admin', /^GET \/(events\/page(\.js)?|courier\/(mailbox|templates(\/:type)?))$/, 'pages for people'],
  [
    'public',
    /^GET \/self-service\/(login|registration|settings|recovery|verification)$/,
    'forms with a method that Kratos takes and does not describe',
  ],
  ['public', /^\w+ \/self-service\/methods\/oidc\/callback(\/:provider)?$/, 'where providers send browsers back to'],
  ['public', /^(POST|PUT|PATCH|DELETE|OPTIONS) \/sessions\/whoami$/, 'one operation that answers every method'],
  ['public', /^\w+ (\/admin)?\/(identities|courier\/messages)(\/.*)?$/, 'sent on to the admin port'],
  ['admin', /^\w+ \/(sessions\/whoami|schemas|schemas\/\*|self-service\/\*)$/, 'sent on to the public port'],
  ['admin', /^DELETE \/sessions$/, 'sent on to the public port'],
]

describe('routes', () => {
  const routes: { port: string; route: string }[] = []
  const used = new Set<unknown>()
  const shape = (path: string) => path.replace(/^\/admin(?=\/)/, '').replace(/:\w+|\{\w+\}/g, '{}')

  before(async () => {
    const ends: (() => Promise<void>)[] = []
    const server = await testServer(
      { after: (work) => void ends.push(work) },
      { config: { lethe: { ui: { enabled: true } } } },
    )
    const options = { version: '', isReady: async () => true, requestId: () => '', configHash: () => '' }
    for (const [port, create] of [['public', createPublicApp] as const, ['admin', createAdminApp] as const]) {
      const app = create(server.deps, options)
      app.addHook('onRoute', ({ method, url }) => {
        for (const word of [method].flat()) if (word !== 'HEAD') routes.push({ port, route: `${word} ${url}` })
      })
      await app.ready()
      await app.close()
    }
    for (const end of ends.reverse()) await end()
  })

  test('are all described', () => {
    assert.ok(routes.length > 40, 'the routes were not seen')
    const described = new Set(
      operations.flatMap(({ port, method, path }) =>
        (port === 'both' ? ['public', 'admin'] : [port]).map((one) => `${one} ${method.toUpperCase()} ${shape(path)}`),
      ),
    )
    const missing = routes.filter(({ port, route }) => {
      const exception = NO_OPERATION.find(([at, pattern]) => at === port && pattern.test(route))
      used.add(exception)
      const [method, url = ''] = route.split(' ')
      return !exception && !described.has(`${port} ${method} ${shape(url)}`)
    })
    assert.deepEqual(missing, [])
    assert.deepEqual(
      NO_OPERATION.filter((exception) => !used.has(exception)),
      [],
    )
  })

  test('are there for all that is described', () => {
    const there = (port: string, method: string, path: string) =>
      routes.some((known) => {
        const [verb, url = ''] = known.route.split(' ')
        return known.port === port && verb === method && shape(url) === shape(path)
      })
    const missing = operations.filter(({ port, method, path }) =>
      (port === 'both' ? ['public', 'admin'] : [port]).some((one) => !there(one, method.toUpperCase(), path)),
    )
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    )
  })
})

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
