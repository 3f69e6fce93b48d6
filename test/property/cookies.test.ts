import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import cookie from '@fastify/cookie'
import fastify, { type FastifyInstance } from 'fastify'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import { type Clock, formatTime, SECOND } from '../../src/kernel/base/clock.ts'
import { type Csrf, createCsrf } from '../../src/kernel/http/csrf.ts'
import { signOutBrowser } from '../../src/logout/sign-out-browser.ts'
import { CookieCache } from '../../src/sessions/http/cookie-cache.ts'
import { createSessionCredentials, type SessionCredentials } from '../../src/sessions/http/credentials.ts'
import fc from '../helpers/fast-check.ts'
import { WIRE_CONFIGS } from '../helpers/server.ts'
import { parseSetCookie } from '../wire/cookies.ts'

/**
 * A browser forgets a cookie only when it is cleared with the name, domain and path it was set with, and refuses to be
 * told so when `Secure` or `SameSite` do not fit. So both must be the same, whatever is configured.
 */

const domain = fc.option(fc.constantFrom('example.com', 'auth.example.com', 'localhost'), { nil: undefined })
const path = fc.option(fc.constantFrom('/', '/app', '/a/b/'), { nil: undefined })
const sameSite = fc.option(fc.constantFrom('Strict', 'Lax', 'None'), { nil: undefined })
const secure = fc.option(fc.constantFrom('true', 'false'), { nil: undefined })
const name = fc.constantFrom('ory_kratos_session', '__Host-session', '__Secure-x', 's', "a!#$%&'*+-.^_`|~9")

const world = fc.record({
  dev: fc.boolean(),
  cookies: fc.record({ domain, path, same_site: sameSite, secure }),
  session: fc.record({
    lifespan: fc.constantFrom('1m', '24h', '720h'),
    cookie: fc.record({
      name: fc.option(name, { nil: undefined }),
      domain,
      path,
      same_site: sameSite,
      secure,
      persistent: fc.option(fc.boolean(), { nil: undefined }),
    }),
  }),
  previous: fc.array(fc.record({ name, domain, path }), { maxLength: 3 }),
  publicUrl: fc.constantFrom('https://id.example.com/', 'http://127.0.0.1:4433', 'https://example.com/.ory/'),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

const clock: Clock = { now: () => 1_795_000_000 * SECOND }

describe('what is set can be cleared', () => {
  let app: FastifyInstance
  let now: { config: Config; dev: boolean; publicUrl: string; credentials: SessionCredentials; csrf: Csrf }
  before(async () => {
    app = fastify()
    await app.register(cookie)
    app.decorateRequest('csrfSecret', undefined)
    app.get('/in', (req, reply) => {
      now.csrf.renew(req, reply)
      const expiresAt = formatTime(clock.now() + Math.trunc(now.config.session.lifespan * 1000))
      now.credentials.write(req, reply, { token: `ory_st_${'x'.repeat(32)}`, expiresAt })
      return reply.send('')
    })
    app.get('/out', (req, reply) => {
      const d = { config: () => now.config, dev: now.dev, credentials: now.credentials, csrf: now.csrf }
      signOutBrowser(d, req, reply, true)
      return reply.send('')
    })
  })
  after(() => app.close())

  function arrange({ dev, cookies, session, previous, publicUrl }: World): void {
    const tree = {
      ...WIRE_CONFIGS.default,
      cookies: defined(cookies),
      session: { lifespan: session.lifespan, cookie: defined(session.cookie) },
      lethe: { cookies: { previous: previous.map(defined) } },
    }
    const text = JSON.stringify({ dsn: 'memory', ...tree }).replaceAll(/\{\{(public|admin)\}\}/g, 'http://127.0.0.1:1')
    const { config } = loadConfig({
      files: ['config.json'],
      env: {},
      flags: { dev },
      readFile: () => text,
      random: randomBytes,
    })
    const d = { config: () => config, dev, clock, random: randomBytes, publicBaseUrl: () => publicUrl }
    now = {
      ...{ config, dev, publicUrl },
      credentials: createSessionCredentials({ ...d, cookies: new CookieCache() }),
      csrf: createCsrf(d),
    }
  }

  async function visit(path: string, headers: Record<string, string> = {}) {
    const { headers: got } = await app.inject({ url: path, headers })
    return [got['set-cookie'] ?? []].flat().map(parseSetCookie)
  }

  /** Everything that decides which cookie a browser means, and whether it takes the change. */
  function meaning({ name, attributes }: ReturnType<typeof parseSetCookie>) {
    const { 'max-age': _, expires: __, ...rest } = attributes
    return { name, ...rest }
  }

  test('the session cookie is cleared with the attributes it was set with, the anti-CSRF cookie replaced with its own', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (w) => {
        arrange(w)
        const isIn = await visit('/in')
        const header = isIn.map((c) => `${c.name}=${c.value}`).join('; ')
        const out = await visit('/out', { cookie: header })
        const sessionName = now.config.session.cookie.name
        const [set, cleared] = [isIn, out].map((list) => list.filter((c) => c.name === sessionName))
        assert.equal(set!.length, 1)
        // A former cookie may have had the same name, with another domain or path.
        const same = cleared!.filter((c) => JSON.stringify(meaning(c)) === JSON.stringify(meaning(set![0]!)))
        assert.ok(same.length >= 1, `${JSON.stringify(set)} is not what is cleared: ${JSON.stringify(cleared)}`)
        for (const c of cleared!) assert.deepEqual([c.value, c.attributes['max-age']], ['', '0'])
        assert.ok(set![0]!.attributes.httponly)

        const csrfCookies = [isIn, out].map((list) => list.filter((c) => c.name.startsWith('csrf_token_')))
        assert.deepEqual(
          csrfCookies.map((list) => list.length),
          [1, 1],
        )
        assert.deepEqual(meaning(csrfCookies[0]![0]!), meaning(csrfCookies[1]![0]!))
        assert.notEqual(csrfCookies[0]![0]!.value, csrfCookies[1]![0]!.value)
      }),
      { numRuns: 150 },
    )
  })

  test('a jar that takes both ends without a cookie of the session, also of those from before', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (w) => {
        arrange(w)
        const jar = new Map<string, string>()
        const key = (n: string, domain: unknown, path: unknown) => `${n}|${domain ?? ''}|${path ?? '/'}`
        for (const { name, domain, path } of w.previous) jar.set(key(name, domain, path), 'old')
        for (const list of [await visit('/in'), await visit('/out')]) {
          for (const { name, value, attributes } of list) {
            const id = key(name, attributes.domain, attributes.path)
            if (attributes['max-age'] === '0') jar.delete(id)
            else jar.set(id, value)
          }
        }
        assert.deepEqual(
          [...jar.keys()].filter((id) => !id.startsWith('csrf_token_')),
          [],
        )
      }),
      { numRuns: 150 },
    )
  })
})

function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}
