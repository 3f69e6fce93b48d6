import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { oidcProvider } from '../../../src/config/schema/oidc.ts'
import { systemClock } from '../../../src/kernel/base/clock.ts'
import { HttpError } from '../../../src/kernel/http/errors.ts'
import { exchange, type OutboundAnswer, type OutboundRequest } from '../../../src/kernel/outbound/client.ts'
import type { Provider } from '../../../src/methods/oidc/kind.ts'
import { kindOf } from '../../../src/methods/oidc/kinds.ts'
import { createUpstream } from '../../../src/methods/oidc/upstream.ts'
import fc, { MORE } from '../../helpers/fast-check.ts'
import { type Fault, hostileServer, NAMES } from '../../helpers/hostile-server.ts'
import { APIS, arriveAt, issuerOf, providerOf } from '../../helpers/provider-apis.ts'

/** Where each kind gets what it needs: everything by URL without its query. */
interface Stage {
  entry: Provider
  says: Record<string, unknown>
}

const RULES = { disallowPrivateIps: false, privateIpExceptions: [] }
const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const PEM = String(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
)

async function openid(iss: string, entry: Provider, more: Record<string, unknown> = {}): Promise<Stage> {
  const { make, says } = await issuerOf(iss)
  const { token } = await kindOf(entry).endpoints(entry, upstreamOf(says))
  const idToken = await make({ sub: 's', tid: TENANT, oid: 'o' })
  return { entry, says: { ...says, ...more, [token]: { access_token: 'at', id_token: idToken } } }
}

/** Every kind, with all that it asks for. */
async function stages(): Promise<Stage[]> {
  const kinds = APIS.map(async ({ kind, config, answer, says }) => {
    const entry = providerOf({ provider: kind, ...config })
    const { token } = await kindOf(entry).endpoints(entry, upstreamOf({}))
    return { entry, says: { [token]: { access_token: 'at', accessToken: 'at', ...answer }, ...says } }
  })
  const apple = { apple_team_id: 'T', apple_private_key_id: 'K', apple_private_key: PEM }
  const microsoft = { microsoft_tenant: 'common', subject_source: 'me' as const }
  const user = { sub: 's', email: 'a@b.example' }
  return Promise.all([
    ...kinds,
    openid('https://op.example', providerOf({ issuer_url: 'https://op.example' })),
    openid('https://op.example', providerOf({ issuer_url: 'https://op.example', claims_source: 'userinfo' }), {
      'https://op.example/userinfo': user,
    }),
    openid('https://fedcm.example', providerOf({ provider: 'fedcm-test', issuer_url: 'https://fedcm.example' })),
    openid('https://accounts.google.com', providerOf({ provider: 'google' })),
    openid('https://access.line.me', providerOf({ provider: 'line' })),
    openid('https://appleid.apple.com', providerOf({ provider: 'apple', ...apple })),
    openid(`https://login.microsoftonline.com/${TENANT}/v2.0`, providerOf({ provider: 'microsoft', ...microsoft }), {
      'https://graph.microsoft.com/v1.0/me': { id: 'me' },
    }),
    openid('https://www.linkedin.com/oauth', providerOf({ provider: 'linkedin_v2' }), {
      'https://www.linkedin.com/oauth/userinfo': user,
    }),
    openid('https://broker.netid.de/', providerOf({ provider: 'netid' }), { 'https://broker.netid.de/userinfo': user }),
    {
      entry: providerOf({ provider: 'x' }),
      says: {
        'https://api.twitter.com/oauth/access_token': 'oauth_token=at&oauth_token_secret=as',
        'https://api.twitter.com/1.1/account/verify_credentials.json': { id_str: '1', name: 'X' },
      },
    },
  ])
}

const upstreamOf = (
  says: Record<string, unknown>,
  ask = (_: OutboundRequest): Promise<OutboundAnswer> | undefined => undefined,
) =>
  createUpstream({
    clock: systemClock(),
    random: randomBytes,
    async exchange(request) {
      const url = request.url.split('?')[0]!
      const instead = ask(request)
      if (instead) return instead
      const said = says[url] ?? assert.fail(`nobody is at ${url}`)
      const body = Buffer.from(typeof said === 'string' ? said : JSON.stringify(said))
      return { status: 200, headers: {}, body, cut: undefined }
    },
  })

const arrive = ({ entry }: Stage, upstream: ReturnType<typeof createUpstream>) => arriveAt(entry, upstream)

/** Of the provider, not of ours: a form says so, or the page of such an error. */
function assertTold(error: unknown, what: string): void {
  assert.ok(error instanceof HttpError, `${what}: ${(error as Error)?.stack}`)
  const ofProvider = error.status === 502 || error.status === 400 || error.id === 'invalid_configuration'
  assert.ok(ofProvider, `${what}: ${error.status} ${error.reason}`)
  assert.ok((error.reason ?? '').length > 10, `${what}: says nothing`)
}

describe('whatever servers of providers do', () => {
  it('every kind is here, and lets people in', async () => {
    const all = await stages()
    const names = new Set(all.map(({ entry }) => entry.provider))
    assert.deepEqual([...names].sort(), [...oidcProvider.shape.provider.options].sort())
    for (const stage of all) {
      const { subject } = await arrive(stage, upstreamOf(stage.says))
      assert.notEqual(subject, '', stage.entry.provider)
    }
  })

  it('nobody waits for ever, and nobody is let in', async (t) => {
    const hostile = await hostileServer(t)
    const fates: Promise<void>[] = []
    for (const stage of await stages()) {
      const all = Object.keys(stage.says)
      for (const url of all)
        for (const fault of NAMES) {
          const what = `${stage.entry.provider}: ${fault} at ${url}`
          const upstream = upstreamOf(stage.says, (request) => {
            if (request.url.split('?')[0] !== url) return undefined
            assert.ok(request.timeoutMs <= 10_000 && request.maxBytes <= 1024 * 1024, what)
            const waits = { url: `${hostile}/${encodeURIComponent(fault)}/`, timeoutMs: 2000 }
            return exchange({ ...request, ...waits }, RULES)
          })
          fates.push(
            arrive(stage, upstream).then(
              () => assert.ok(mayPass(stage, url, fault), `${what}: let in`),
              (error) => assertTold(error, what),
            ),
          )
        }
    }
    assert.ok(fates.length > 500)
    await Promise.all(fates)
  })

  it('a member of another type than it should have ends no sign-in by a fault of ours', async () => {
    const all = await stages()
    const odd = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        -1.5,
        1e300,
        '',
        '\0',
        '\ud800',
        [],
        {},
        [null],
        '__proto__',
        'constructor',
      ),
      fc.constantFrom<unknown>({ toString: 1 }, { length: 1e9 }, { __proto__: null }, [[[]]], '9'.repeat(400)),
      fc.constantFrom<unknown>('javascript:alert(1)', 'ftp://a.example', 'http://[', 'x'.repeat(100_000)),
      fc.json().map((text) => JSON.parse(text) as unknown),
    )
    const sample = fc.record({ stage: fc.nat(), url: fc.nat(), at: fc.nat(), odd })
    await fc.assert(
      fc.asyncProperty(sample, async (one) => {
        const stage = all[one.stage % all.length]!
        const urls = Object.keys(stage.says).filter((url) => typeof stage.says[url] !== 'string')
        const url = urls[one.url % urls.length]!
        const said = structuredClone(stage.says[url])
        const places = placesOf(said)
        const place = places[one.at % places.length]
        if (place) place.of[place.name] = one.odd
        const upstream = upstreamOf({ ...stage.says, [url]: said })
        const what = `${stage.entry.provider}: ${JSON.stringify(said).slice(0, 500)} at ${url}`
        await arrive(stage, upstream).then(
          ({ subject, claims }) => {
            assert.ok(subject !== '' && !/\p{Cc}/u.test(subject) && subject.isWellFormed(), what)
            assert.ok(Buffer.byteLength(JSON.stringify(claims)) > 0)
          },
          (error) => assertTold(error, what),
        )
      }),
      { numRuns: 600 * MORE },
    )
  })
})

/** Where less is said than could be, which is no reason to send anybody away. */
function mayPass({ entry }: Stage, url: string, fault: Fault): boolean {
  const empty = fault === 'a list' || fault === 'an empty object'
  if (entry.provider === 'linkedin' && url.endsWith('/emailAddress')) return empty
  if (entry.provider === 'github-app' && url.endsWith('/emails')) return empty
  if (entry.provider === 'github' && url.endsWith('/emails')) return empty
  if (entry.provider === 'netid' && url.endsWith('/userinfo')) return empty
  return false
}

function placesOf(value: unknown): { of: Record<string, unknown>; name: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const of = value as Record<string, unknown>
  return Object.keys(of).flatMap((name) => [{ of, name }, ...placesOf(of[name])])
}
