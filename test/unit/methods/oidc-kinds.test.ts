import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { jwtVerify } from 'jose'
import type { RegistrationFlow } from '../../../src/flows/registration/types.ts'
import { SECOND, systemClock } from '../../../src/kernel/base/clock.ts'
import type { OutboundAnswer, OutboundRequest } from '../../../src/kernel/outbound/client.ts'
import { loadText } from '../../../src/kernel/outbound/load.ts'
import {
  type ClaimedRegistrationDeps,
  createClaimedRegistrations,
} from '../../../src/methods/oidc/claimed-registration.ts'
import type { Claims } from '../../../src/methods/oidc/claims.ts'
import type { Provider } from '../../../src/methods/oidc/kind.ts'
import { kindOf } from '../../../src/methods/oidc/kinds.ts'
import { createMappers } from '../../../src/methods/oidc/mapper.ts'
import { providerWarnings } from '../../../src/methods/oidc/start/warnings.ts'
import { createTokenEndpoint } from '../../../src/methods/oidc/token.ts'
import { createUpstream } from '../../../src/methods/oidc/upstream.ts'
import type { UpstreamSignIn } from '../../../src/sessions/store-upstream.ts'
import { APIS, arriveAt, ISSUERS, issuerOf, providerOf } from '../../helpers/provider-apis.ts'

/** Plays the servers of a provider: answers by URL without its query, and what they were asked. */
function stage(says: Record<string, unknown>, headers: OutboundAnswer['headers'] = {}) {
  const asked: OutboundRequest[] = []
  const real = systemClock()
  let late = 0
  async function exchange(request: OutboundRequest): Promise<OutboundAnswer> {
    asked.push(request)
    const found = says[request.url] ?? says[request.url.split('?')[0]!]
    const said = typeof found === 'function' ? found(request) : found
    const { status = 200, body = said } = said?.status === undefined ? {} : said
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? null)
    return { status: found === undefined ? 404 : status, headers, body: Buffer.from(text), cut: undefined }
  }
  const clock = { ...real, now: () => real.now() + late * SECOND }
  const upstream = createUpstream({ clock, random: randomBytes, exchange })
  const later = (seconds: number) => {
    late += seconds
  }
  const arrive = async (entry: Provider) => (await arriveAt(entry, upstream)).subject
  return { says, upstream, asked, token: createTokenEndpoint(upstream), later, arrive }
}

const tokens = (more: Record<string, string> = {}, idToken = '') => ({
  ...{ accessToken: 'at', idToken, refreshToken: '', answer: { access_token: 'at', ...more } },
})

const query = new URLSearchParams()

/** What becomes of somebody new, under a schema that asks for nothing. */
const registrationOf = (entry: Provider, claims: Claims) =>
  createClaimedRegistrations({
    config: () => ({}),
    schemas: () => ({ default: { id: '', inputs: [], validate: () => [], derive: () => ({ kind: 'derived' }) } }),
    mappers: createMappers({ config: () => ({}), clock: systemClock(), loadText: (url) => loadText(url, LOAD) }),
    cipher: { encrypt: String },
  } as unknown as ClaimedRegistrationDeps).make(
    { identity_schema: '' } as RegistrationFlow,
    { provider: entry, subject: 's', claims, tokens: undefined, upstream: {} as UpstreamSignIn },
    {},
  )
const LOAD = { cwd: '', disallowPrivateIps: true, privateIpExceptions: [] }

describe('kinds of providers', () => {
  for (const { kind, config, answer, says, claims } of APIS) {
    it(`${kind}: what its API says becomes claims`, async () => {
      const { upstream } = stage(says)
      const entry = providerOf({ provider: kind, ...config })
      const got = await kindOf(entry).claims({ provider: entry, tokens: tokens(answer), upstream, query })
      assert.deepEqual(got, claims)
    })

    it(`${kind}: an API that fails is the provider's fault`, async () => {
      const { upstream } = stage(Object.fromEntries(Object.keys(says).map((url) => [url, { status: 403, body: '' }])))
      const entry = providerOf({ provider: kind, ...config })
      await assert.rejects(kindOf(entry).claims({ provider: entry, tokens: tokens(answer), upstream, query }), {
        ...{ status: 502, id: 'upstream_error' },
        reason: 'OpenID Connect provider returned a 403 status code but 200 is expected.',
      })
    })
  }

  for (const [kind, iss] of Object.entries(ISSUERS) as [Provider['provider'], string][]) {
    it(`${kind}: the id token counts when the issuer signed it for us, in time`, async () => {
      const { make, says } = await issuerOf(iss)
      const { upstream } = stage(says)
      const entry = providerOf({ provider: kind, ...(kind === 'generic' ? { issuer_url: iss } : {}) })
      const claimsOf = async (claims: Record<string, unknown>) => {
        const sent = tokens({}, await make({ sub: 's', ...claims }))
        return kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })
      }
      assert.equal((await claimsOf({ email: 'a@b.example' })).sub, 's')
      const now = Math.floor(Date.now() / 1000)
      for (const wrong of [{ aud: 'other' }, { iss: 'https://evil.example' }, { exp: now - 300 }, { azp: 'other' }]) {
        await assert.rejects(claimsOf(wrong), { status: 400 }, JSON.stringify(wrong))
      }
      const none = kindOf(entry).claims({ provider: entry, tokens: tokens(), upstream, query })
      await assert.rejects(none, { status: 400, reason: /no id_token was returned/ })
    })
  }

  it('microsoft: a person of another tenant than configured does not get in', async () => {
    const personal = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const company = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
    const fine: Record<string, string[]> = {
      ...{ common: [personal, company], organizations: [company], consumers: [personal] },
      ...{ [company.toUpperCase()]: [company], 'company.example': [company] },
    }
    for (const [microsoft_tenant, allowed] of Object.entries(fine))
      for (const tid of [personal, company, '00000000-0000-0000-0000-000000000001']) {
        const { make, says } = await issuerOf(`https://login.microsoftonline.com/${tid}/v2.0`)
        const entry = providerOf({ provider: 'microsoft', microsoft_tenant })
        const claims = async (iss: object) => {
          const sent = tokens({}, await make({ sub: 's', tid, ...iss }))
          return kindOf(entry).claims({ provider: entry, tokens: sent, upstream: stage(says).upstream, query })
        }
        const others = ['common', 'organizations', 'company.example'].includes(microsoft_tenant)
        if (allowed.includes(tid) || (others && tid !== personal)) assert.equal((await claims({})).sub, 's')
        else if (microsoft_tenant !== 'company.example') await assert.rejects(claims({}), { status: 400 })
        await assert.rejects(claims({ iss: `https://evil.example/${tid}/v2.0` }), { status: 400 })
      }
  })

  it('microsoft: the issuer is the tenant of the person, and the subject what the configuration says', async () => {
    const tid = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
    const { make, says } = await issuerOf(`https://login.microsoftonline.com/${tid}/v2.0`)
    const { upstream } = stage({ ...says, 'https://graph.microsoft.com/v1.0/me': { id: 'me' } })
    for (const [subject_source, sub] of [
      ['userinfo', 's'],
      ['oid', 'o'],
      ['me', 'me'],
    ] as const) {
      const entry = providerOf({ provider: 'microsoft', microsoft_tenant: 'common', subject_source })
      const sent = tokens({}, await make({ sub: 's', oid: 'o', tid }))
      assert.equal((await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })).sub, sub)
    }
    const entry = providerOf({ provider: 'microsoft', microsoft_tenant: 'common' })
    const odd = tokens({}, await make({ sub: 's', tid: '../evil' }))
    await assert.rejects(kindOf(entry).claims({ provider: entry, tokens: odd, upstream, query }), { status: 400 })
  })

  it('microsoft: of any tenant, only the claim that the tenant owns the domain verifies an address', async () => {
    const tid = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
    const { make, says } = await issuerOf(`https://login.microsoftonline.com/${tid}/v2.0`)
    const mapper_url = `base64://${Buffer.from("{ identity: { traits: {}, verified_addresses: [{ via: 'email', value: 'Boss@a.example' }] } }").toString('base64')}`
    for (const [microsoft_tenant, xms_edov, verified] of [
      ...[true, 1, 'true', '1'].map((one) => ['common', one, true] as const),
      ...[undefined, false, 0, 'yes', null, [true], {}].map((one) => ['organizations', one, false] as const),
      [tid, undefined, true],
    ] as const) {
      const entry = providerOf({ provider: 'microsoft', microsoft_tenant, mapper_url })
      const sent = tokens({}, await make({ sub: 's', tid, email: 'boss@a.example', email_verified: true, xms_edov }))
      const { upstream } = stage(says)
      const claims = await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })
      assert.equal(claims.email_verified === true, verified && xms_edov !== undefined, String(xms_edov))
      const { checked } = await registrationOf(entry, claims)
      assert.deepEqual(checked.verified, verified ? [{ via: 'email', value: 'boss@a.example' }] : [])
    }
  })

  it('apple: the secret is a token of our own, the name comes from the form', async () => {
    const { make, says } = await issuerOf('https://appleid.apple.com')
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { upstream, token, asked } = stage({
      ...says,
      'https://appleid.apple.com/auth/token': { access_token: 'at' },
    })
    const entry = providerOf({
      ...{ provider: 'apple', apple_team_id: 'TEAM', apple_private_key_id: 'KEY', scope: ['email'] },
      apple_private_key: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    })
    assert.deepEqual(kindOf(entry).parameters!(entry, false), { response_mode: 'form_post' })
    await token.exchange({ provider: entry, code: 'c', redirectUri: 'https://us.example/cb', verifier: undefined })
    const form = new URLSearchParams(asked.at(-1)!.body)
    const { payload, protectedHeader } = await jwtVerify(form.get('client_secret')!, key.publicKey)
    assert.deepEqual(
      [payload.iss, payload.sub, payload.aud, protectedHeader.kid],
      [...['TEAM', 'client', 'https://appleid.apple.com', 'KEY']],
    )
    const user = new URLSearchParams({ user: JSON.stringify({ name: { firstName: 'A', lastName: 'B' } }) })
    const sent = tokens({}, await make({ sub: 's', email_verified: 'true' }))
    const claims = await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query: user })
    assert.deepEqual([claims.given_name, claims.family_name, claims.email_verified], ['A', 'B', true])
  })

  it('x: signs as OAuth 1.0a demands, there and back', async () => {
    const { upstream, asked } = stage({
      'https://api.twitter.com/oauth/request_token': 'oauth_token=rt&oauth_token_secret=rs',
      'https://api.twitter.com/oauth/access_token': 'oauth_token=at&oauth_token_secret=as',
      'https://api.twitter.com/1.1/account/verify_credentials.json': { id_str: '1', name: 'X', screen_name: 'x' },
    })
    const entry = providerOf({ provider: 'x', scope: ['email'] })
    const own = kindOf(entry).own!
    const url = await own.authorizeUrl(entry, { callback: 'https://us.example/cb', state: 's t' }, upstream)
    assert.equal(url, 'https://api.twitter.com/oauth/authenticate?oauth_token=rt')
    assert.match(
      asked[0]!.headers.authorization!,
      /oauth_callback="https%3A%2F%2Fus.example%2Fcb%3Fstate%3Ds%2Bt%26code%3Dunused"/,
    )
    const claims = await own.claims(entry, new URLSearchParams({ oauth_token: 'rt', oauth_verifier: 'v' }), upstream)
    assert.deepEqual([claims.sub, claims.name, claims.preferred_username], ['1', 'X', 'x'])
    assert.match(asked.at(-1)!.url, /\?include_email=true$/)
    assert.match(asked.at(-1)!.headers.authorization!, /oauth_signature="[\w%]+"/)
  })

  it('strange types do not end a sign-in', async () => {
    const { make, says } = await issuerOf('https://op.example')
    const { upstream } = stage(says)
    const entry = providerOf({ issuer_url: 'https://op.example' })
    const odd = { sub: 's', email_verified: 'true', updated_at: '1577836800', picture: {}, name: 7, birthdate: null }
    const sent = tokens({}, await make({ ...odd, locale: { language: 'de', country: 'CH' } }))
    const claims = await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })
    const { raw_claims: _, iss: __, ...rest } = claims
    assert.deepEqual(rest, { sub: 's', email_verified: true, updated_at: 1577836800, name: '7', locale: 'de-CH' })
  })
})

describe('what is told of providers at start', () => {
  const LOOKING = "if claims.email_verified then [{ via: 'email', value: claims.email }] else []"
  const mapper = (verified?: string) =>
    `local claims = std.extVar('claims'); { identity: { traits: {}${verified ? `, verified_addresses: ${verified}` : ''} } }`
  const told = async (entry: Provider, text = mapper()) => {
    const { says } = await issuerOf('https://op.example')
    const warnings = await providerWarnings({
      config: () =>
        ({ selfservice: { methods: { oidc: { enabled: true, config: { providers: [entry] } } } } }) as never,
      upstream: stage(says).upstream,
      loadText: async () => (text === '' ? Promise.reject(new Error('cannot be read')) : text),
    })
    return warnings.map(({ keys, message }) => `${keys[0]!.replace(/^.*\./, '')}: ${message}`).join(' ')
  }

  it('the other spelling of an issuer, and one that is a pattern', async () => {
    assert.equal(await told(providerOf({ issuer_url: 'https://op.example' })), '')
    const slash = await told(providerOf({ issuer_url: 'https://op.example/' }))
    assert.match(slash, /^issuer_url: .*expected https:\/\/op\.example\/, got https:\/\/op\.example$/)
    for (const tenant of ['common', 'organizations', 'consumers']) {
      const entry = providerOf({ issuer_url: `https://login.microsoftonline.com/${tenant}/v2.0` })
      assert.match(await told(entry), new RegExp(`use provider: microsoft, microsoft_tenant: ${tenant}$`))
    }
    assert.match(await told(providerOf({ issuer_url: 'https://nowhere.example' })), /no sign-in with one: .*404/)
  })

  it('a mapper that verifies without looking, or cannot be read', async () => {
    const github = providerOf({ provider: 'github' })
    assert.equal(await told(github, mapper(LOOKING)), '')
    assert.match(await told(github, mapper("[{ via: 'email', value: claims.email }]")), /^mapper_url: .*email_verified/)
    assert.match(await told(github, ''), /^mapper_url: .*the mapper cannot be read/)
    const microsoft = (microsoft_tenant: string) => providerOf({ provider: 'microsoft', microsoft_tenant })
    assert.match(await told(microsoft('common'), mapper(LOOKING)), /^mapper_url: .*xms_edov/)
    assert.equal(await told(microsoft('common'), mapper(LOOKING.replace('email_verified', 'raw_claims.xms_edov'))), '')
    assert.equal(await told(microsoft('8eaef023-2b34-4da1-9baa-8bc8c9d6a490'), mapper(LOOKING)), '')
  })
})

describe('the token endpoint', () => {
  const code = { code: 'c', redirectUri: 'https://us.example/cb', verifier: 'v'.repeat(43) }
  const entry = providerOf({ provider: 'gitlab', issuer_url: 'https://git.example' })
  const TOKEN = 'https://git.example/oauth/token'

  it('gets the code once, whatever it answers', async () => {
    const expected = { 200: 400, 400: 400, 403: 400, 429: 502, 500: 502, 503: 502 }
    for (const [status, answered] of Object.entries(expected)) {
      const error = status === '429' ? 'slow_down' : 'invalid_grant'
      const { token, asked } = stage({ [TOKEN]: { status: Number(status), body: { error } } })
      await assert.rejects(token.exchange({ provider: entry, ...code }), { status: answered })
      assert.equal(asked.filter(({ url }) => url === TOKEN).length, 1)
    }
  })

  it('gets the secret in the body when it does not know the client, and from then on', async () => {
    const { token, asked } = stage({
      [TOKEN]: ({ headers }: OutboundRequest) =>
        headers.authorization === undefined
          ? { access_token: 'at', id_token: 'i', refresh_token: 'r' }
          : { status: 401, body: { error: 'invalid_client' } },
    })
    assert.deepEqual((await token.exchange({ provider: entry, ...code })).refreshToken, 'r')
    await token.exchange({ provider: entry, ...code })
    const sent = asked.filter(({ url }) => url === TOKEN).map(({ headers }) => headers.authorization !== undefined)
    assert.deepEqual(sent, [true, false, false])
  })

  it('is read as JSON or as a form, and as nothing else', async () => {
    const answer = async (body: unknown) => stage({ [TOKEN]: body }).token.exchange({ provider: entry, ...code })
    assert.equal((await answer('access_token=at&scope=a%2Cb')).answer.scope, 'a,b')
    for (const body of ['<html>', [], {}, { access_token: '' }, 'null']) {
      await assert.rejects(answer(body), { status: 502, id: 'upstream_error' }, JSON.stringify(body))
    }
  })

  it('of dingtalk speaks JSON in words of its own', async () => {
    const url = 'https://api.dingtalk.com/v1.0/oauth2/userAccessToken'
    const { token, asked } = stage({ [url]: { accessToken: 'at' } })
    const { accessToken } = await token.exchange({ provider: providerOf({ provider: 'dingtalk' }), ...code })
    assert.equal(accessToken, 'at')
    assert.deepEqual(JSON.parse(asked[0]!.body!), {
      ...{ clientId: 'client', clientSecret: 'secret', code: 'c', grantType: 'authorization_code' },
    })
  })
})

describe('what is kept of providers', () => {
  it('discovery is asked once, and anew after a failure', async () => {
    const { says } = await issuerOf('https://op.example')
    let down = true
    const url = 'https://op.example/.well-known/openid-configuration'
    const { upstream, asked } = stage({ [url]: () => (down ? { status: 503, body: '' } : says[url]) })
    await assert.rejects(upstream.discover('https://op.example'), { status: 500, id: 'invalid_configuration' })
    down = false
    for (let i = 0; i < 3; i += 1) await upstream.discover('https://op.example')
    assert.equal(asked.length, 2)
  })

  it('an issuer that names another is not believed', async () => {
    const { says } = await issuerOf('https://op.example')
    const { upstream } = stage({ 'https://us.example/.well-known/openid-configuration': Object.values(says)[0] })
    await assert.rejects(upstream.discover('https://us.example'), {
      reason: /^Unable to initialize OpenID Connect Provider: /,
    })
  })

  it('unknown keys are a reason to read keys again, but not for every token', async () => {
    const [first, second, third] = await Promise.all(['1', '2', '3'].map(() => issuerOf('https://op.example')))
    const jwks = 'https://op.example/jwks'
    const { says, upstream, asked } = stage({ ...first!.says })
    const trust = { issuer: 'https://op.example', jwksUri: jwks, audiences: ['client'] }
    await upstream.verify(await first!.make({ sub: 's' }), trust)
    // a rotation right after the keys were read
    says[jwks] = second!.says[jwks]
    assert.equal((await upstream.verify(await second!.make({ sub: 's' }), trust)).sub, 's')
    for (let i = 0; i < 20; i += 1) await assert.rejects(upstream.verify(await third!.make({ sub: 's' }), trust))
    assert.equal(asked.length, 2)
  })

  it('whoever moves is found at the second try, also while the keys or the document cannot be read in between', async () => {
    const issuer = 'https://op.example'
    const document = `${issuer}/.well-known/openid-configuration`
    const { make, says: right } = await issuerOf(issuer)
    const idToken = await make({ sub: 's' })
    const { says, later, arrive } = stage({ ...right, [`${issuer}/token`]: { access_token: 'at', id_token: idToken } })
    const entry = providerOf({ issuer_url: issuer })
    assert.equal(await arrive(entry), 's')
    const moved = { ...(right[document] as object), token_endpoint: `${issuer}/new`, jwks_uri: `${issuer}/new-keys` }
    says[`${issuer}/new`] = says[`${issuer}/token`]
    says[`${issuer}/new-keys`] = says[`${issuer}/jwks`]
    delete says[`${issuer}/token`]
    delete says[`${issuer}/jwks`]
    says[document] = { status: 503, body: '<html>' }
    for (let tries = 0; tries < 2; tries += 1) await assert.rejects(arrive(entry), { status: 502 })
    says[document] = moved
    later(11)
    assert.equal(await arrive(entry), 's')
    // back, with nothing in between
    Object.assign(says, right, { [`${issuer}/token`]: says[`${issuer}/new`] })
    delete says[`${issuer}/new`]
    later(11)
    await assert.rejects(arrive(entry), { status: 502 })
    assert.equal(await arrive(entry), 's')
  })

  it('counts as long as the provider says, but for an hour at most, and ten minutes where it says nothing', async () => {
    const issuer = 'https://op.example'
    const { says: right } = await issuerOf(issuer)
    for (const [control, seconds] of [
      [undefined, 600],
      ['max-age=60, public', 60],
      ['public, max-age=86400', 3600],
      ['no-store', 10],
      ['max-age=0', 10],
    ] as const) {
      const headers = control === undefined ? {} : { 'cache-control': control }
      const { upstream, asked, later } = stage({ ...right }, headers)
      for (const [wait, times] of [
        [0, 1],
        [seconds - 1, 1],
        [2, 2],
      ] as const) {
        later(wait)
        await Promise.all([1, 2, 3].map(() => upstream.discover(issuer)))
        assert.equal(asked.length, times, `${control} after ${wait}`)
      }
    }
  })
})

describe('an id token', () => {
  const issuer = 'https://op.example'
  const trust = { issuer, jwksUri: `${issuer}/jwks`, audiences: ['client'] }

  it('is in time where clocks differ by a minute, and told by how much beyond', async () => {
    const { make, says } = await issuerOf(issuer)
    const { upstream } = stage(says)
    const now = Math.floor(Date.now() / 1000)
    const verify = async (claims: Record<string, number>) => upstream.verify(await make({ sub: 's', ...claims }), trust)
    for (const fine of [
      { exp: now - 5 },
      { exp: now - 50 },
      { nbf: now + 30 },
      { iat: now + 30 },
      { iat: now + 300 },
    ]) {
      assert.equal((await verify(fine)).sub, 's')
    }
    await assert.rejects(verify({ exp: now - 300 }), { status: 400, reason: /expired 30\d seconds ago.* by 60$/ })
    await assert.rejects(verify({ nbf: now + 300 }), {
      status: 400,
      reason: /for another (?:300|29\d) seconds.* by 60$/,
    })
    for (const odd of ['soon', null, {}, -1, '9'.repeat(20)]) {
      await assert.rejects(verify({ exp: odd as number }), { status: 400 }, JSON.stringify(odd))
    }
  })

  it('of several audiences is refused when it was issued to another of them', async () => {
    const { make, says } = await issuerOf(issuer)
    const { upstream } = stage(says)
    const aud = ['other', 'client']
    for (const [azp, good] of [
      [undefined, true],
      ['client', true],
      ['other', false],
      ['', false],
      [['client'], false],
      [{ toString: 1 }, false],
      [7, false],
      [null, false],
    ] as const) {
      const claims = { sub: 's', aud, ...(azp === undefined ? {} : { azp }) }
      const verified = upstream.verify(await make(claims), trust)
      if (good) assert.equal((await verified).sub, 's')
      else await assert.rejects(verified, { status: 400, reason: /azp/ }, JSON.stringify(azp))
    }
    await assert.rejects(upstream.verify(await make({ sub: 's', aud: ['other'] }), trust), { status: 400 })
  })

  it('is checked with the key that signed it, whatever stands beside that one', async () => {
    const { make, says } = await issuerOf(issuer)
    const [other] = ((await issuerOf(issuer)).says[`${issuer}/jwks`] as { keys: object[] }).keys.slice(-1)
    const [good] = (says[`${issuer}/jwks`] as { keys: object[] }).keys.slice(-1)
    const strange: unknown[] = [
      ...[null, 7, 'key', [], {}, { kty: 'new' }, { kty: 'EC' }, { kty: 'RSA', n: 'AA', e: 'AQAB' }],
      ...['k', undefined].flatMap((kid) => [
        { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', ...(kid && { kid }) },
        { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', alg: 'ES256K', ...(kid && { kid }) },
        { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', ...(kid && { kid }) },
        { kty: 'OKP', crv: 'X25519', x: 'AA', use: 'enc', ...(kid && { kid }) },
        { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', ...(kid && { kid }) },
        { ...other, ...(kid && { kid }) },
        { ...good, use: 'enc', ...(kid && { kid }) },
        { ...good, key_ops: 'verify', ...(kid && { kid }) },
      ]),
    ]
    for (const beside of [...strange.map((one) => [one]), strange]) {
      for (const keys of [
        [...beside, good],
        [good, ...beside],
      ]) {
        const { upstream } = stage({ ...says, [`${issuer}/jwks`]: { keys, more: 1 } })
        assert.equal((await upstream.verify(await make({ sub: 's' }), trust)).sub, 's', JSON.stringify(beside))
      }
    }
    for (const set of [{ keys: strange }, { keys: {} }, {}, [], { keys: [{ ...good, use: 'enc' }] }]) {
      const { upstream } = stage({ ...says, [`${issuer}/jwks`]: set })
      await assert.rejects(upstream.verify(await make({ sub: 's' }), trust), { status: 400 })
    }
  })
})
