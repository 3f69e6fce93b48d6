import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { systemClock } from '../../../src/kernel/base/clock.ts'
import type { OutboundAnswer, OutboundRequest } from '../../../src/kernel/outbound/client.ts'
import type { Provider } from '../../../src/methods/oidc/kind.ts'
import { kindOf } from '../../../src/methods/oidc/kinds.ts'
import { createTokenEndpoint } from '../../../src/methods/oidc/token.ts'
import { createUpstream } from '../../../src/methods/oidc/upstream.ts'

/** Plays the servers of a provider: answers by URL without its query, and what they were asked. */
function stage(answers: Record<string, unknown>) {
  const asked: OutboundRequest[] = []
  async function exchange(request: OutboundRequest): Promise<OutboundAnswer> {
    asked.push(request)
    const found = answers[request.url] ?? answers[request.url.split('?')[0]!]
    const said = typeof found === 'function' ? found(request) : found
    const { status = 200, body = said } = said?.status === undefined ? {} : said
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? null)
    return { status: found === undefined ? 404 : status, headers: {}, body: Buffer.from(text), cut: undefined }
  }
  const upstream = createUpstream({ clock: systemClock(), random: randomBytes, exchange })
  return { upstream, asked, token: createTokenEndpoint(upstream) }
}

const provider = (more: Partial<Provider>): Provider => ({
  ...{ id: 'one', provider: 'generic', client_id: 'client', client_secret: 'secret', mapper_url: 'base64://e30=' },
  ...{ subject_source: 'userinfo', claims_source: 'id_token', pkce: 'auto', update_identity_on_login: 'never' },
  ...more,
})

const tokens = (more: Record<string, string> = {}, idToken = '') => ({
  ...{ accessToken: 'at', idToken, refreshToken: '', answer: { access_token: 'at', ...more } },
})

/** What a provider with an API of its own says, by its documentation, and the claims that follow. */
const APIS: {
  kind: Provider['provider']
  config?: Partial<Provider>
  answer?: Record<string, string>
  says: Record<string, unknown>
  claims: Record<string, unknown>
}[] = [
  {
    kind: 'github',
    config: { scope: ['user:email'] },
    answer: { scope: 'user:email' },
    says: {
      'https://api.github.com/user': {
        ...{ id: 1, login: 'octocat', name: 'Mona', blog: 'https://b.example', avatar_url: 'https://a.example/1' },
        ...{ html_url: 'https://github.com/octocat', email: 'unproved@b.example', updated_at: '2008-01-14T04:33:35Z' },
      },
      'https://api.github.com/user/emails': [
        { email: 'second@b.example', primary: false, verified: true },
        { email: 'mona@b.example', primary: true, verified: true },
      ],
    },
    claims: {
      ...{ iss: 'https://github.com/login/oauth/access_token', sub: '1', name: 'Mona', nickname: 'octocat' },
      ...{ website: 'https://b.example', picture: 'https://a.example/1', profile: 'https://github.com/octocat' },
      ...{ email: 'mona@b.example', email_verified: true, updated_at: 1200285215 },
    },
  },
  {
    kind: 'github-app',
    says: {
      'https://api.github.com/user': { id: 2, login: 'app', email: 'shown@b.example' },
      'https://api.github.com/user/emails': [{ email: 'a@b.example', primary: true, verified: false }],
    },
    claims: {
      ...{ iss: 'https://github.com/login/oauth/access_token', sub: '2', nickname: 'app', email: 'a@b.example' },
    },
  },
  {
    kind: 'gitlab',
    config: { issuer_url: 'https://git.example/below/' },
    says: { 'https://git.example/below/oauth/userinfo': { sub: '7', email: 'a@b.example', email_verified: 'true' } },
    claims: { iss: 'https://git.example/below/', sub: '7', email: 'a@b.example', email_verified: true },
  },
  {
    kind: 'auth0',
    config: { issuer_url: 'https://t.auth0.example' },
    says: { 'https://t.auth0.example/userinfo': { sub: 'auth0|1', updated_at: '2020-01-01T00:00:00.000Z' } },
    claims: { iss: 'https://t.auth0.example', sub: 'auth0|1', updated_at: 1577836800 },
  },
  {
    kind: 'salesforce',
    config: { issuer_url: 'https://login.salesforce.example' },
    says: { 'https://login.salesforce.example/services/oauth2/userinfo': { sub: 's', iss: 'https://other.example' } },
    claims: { iss: 'https://other.example', sub: 's' },
  },
  {
    kind: 'discord',
    config: { scope: ['identify', 'email'] },
    answer: { scope: 'identify email' },
    says: {
      'https://discord.com/api/v9/users/@me': {
        ...{
          id: '80351110224678912',
          username: 'Nelly',
          discriminator: '1337',
          avatar: '8342729096ea3675442027381ff50dfe',
        },
        ...{ verified: true, email: 'nelly@discord.example', locale: 'en-US' },
      },
    },
    claims: {
      ...{ iss: 'https://discord.com/api/oauth2/', sub: '80351110224678912', name: 'Nelly#1337', nickname: 'Nelly' },
      picture: 'https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png',
      ...{ preferred_username: 'Nelly', email: 'nelly@discord.example', email_verified: true, locale: 'en-US' },
    },
  },
  {
    kind: 'slack',
    config: { scope: ['identity.basic'] },
    answer: { scope: 'identity.basic,identity.email' },
    says: {
      'https://slack.com/api/users.identity': {
        ...{ ok: true, team: { id: 'T0' } },
        user: { id: 'U0', name: 'Sonny', email: 's@slack.example', image_512: 'https://i.example/512' },
      },
    },
    claims: {
      ...{ iss: 'https://slack.com/oauth/', sub: 'U0', name: 'Sonny', nickname: 'Sonny', preferred_username: 'Sonny' },
      ...{ email: 's@slack.example', email_verified: true, picture: 'https://i.example/512', team: 'T0' },
    },
  },
  {
    kind: 'facebook',
    says: {
      'https://graph.facebook.com/me': {
        ...{ id: '9', name: 'A B', first_name: 'A', last_name: 'B', email: 'a@fb.example', birthday: '01/02/2003' },
        ...{ gender: 'female', picture: { data: { url: 'https://p.example' } } },
      },
    },
    claims: {
      iss: `https://graph.facebook.com/me?fields=id,name,first_name,last_name,middle_name,email,picture,birthday,gender&appsecret_proof=${createHmac('sha256', 'secret').update('at').digest('hex')}`,
      ...{ sub: '9', name: 'A B', nickname: 'A B', preferred_username: 'A B', given_name: 'A', family_name: 'B' },
      ...{ email: 'a@fb.example', email_verified: true, gender: 'female', birthdate: '01/02/2003' },
      picture: 'https://p.example',
    },
  },
  {
    kind: 'vk',
    answer: { email: 'a@vk.example' },
    says: { 'https://api.vk.com/method/users.get': { response: [{ id: 5, first_name: 'A', last_name: 'B', sex: 1 }] } },
    claims: {
      ...{ iss: 'https://api.vk.com/method/users.get', sub: '5', given_name: 'A', family_name: 'B' },
      ...{ email: 'a@vk.example', gender: 'female' },
    },
  },
  {
    kind: 'yandex',
    says: {
      'https://login.yandex.ru/info': {
        ...{ id: '1', first_name: 'A', last_name: 'B', default_email: 'a@ya.example', sex: 'male' },
        ...{ default_avatar_id: '131652443', is_avatar_empty: false, birthday: '1987-03-12' },
      },
    },
    claims: {
      ...{ iss: 'https://login.yandex.ru/info', sub: '1', given_name: 'A', family_name: 'B', email: 'a@ya.example' },
      ...{ gender: 'male', birthdate: '1987-03-12' },
      picture: 'https://avatars.yandex.net/get-yapic/131652443/islands-200',
    },
  },
  {
    kind: 'spotify',
    config: { scope: ['user-read-email'] },
    answer: { scope: 'user-read-email user-read-private' },
    says: {
      'https://api.spotify.com/v1/me': {
        ...{ id: 'sp', display_name: 'S', email: 's@sp.example', images: [{ url: 'https://i.example' }] },
        external_urls: { spotify: 'https://open.spotify.com/user/sp' },
      },
    },
    claims: {
      ...{ iss: 'https://accounts.spotify.com/api/token', sub: 'sp', name: 'S', nickname: 'S', email: 's@sp.example' },
      ...{ picture: 'https://i.example', profile: 'https://open.spotify.com/user/sp' },
    },
  },
  {
    kind: 'amazon',
    config: { scope: ['profile'] },
    says: { 'https://api.amazon.com/user/profile': { user_id: 'amzn1.a', name: 'A', email: 'a@a.example' } },
    claims: { iss: 'https://api.amazon.com/auth/o2/token', sub: 'amzn1.a', name: 'A', email: 'a@a.example' },
  },
  {
    kind: 'lark',
    says: {
      'https://passport.feishu.cn/suite/passport/oauth/userinfo': {
        ...{ sub: 'ou_x', open_id: 'ou_1', name: 'L', avatar_url: 'https://i.example', mobile: '+8612345678901' },
      },
    },
    claims: {
      ...{ iss: 'https://passport.feishu.cn/suite/passport/oauth/userinfo', sub: 'ou_1', name: 'L', nickname: 'L' },
      ...{ picture: 'https://i.example', phone_number: '+8612345678901' },
    },
  },
  {
    kind: 'dingtalk',
    says: {
      'https://api.dingtalk.com/v1.0/contact/users/me': { nick: 'D', openId: 'o1', avatarUrl: 'https://i.example' },
    },
    claims: {
      ...{ iss: 'https://api.dingtalk.com/v1.0/contact/users/me', sub: 'o1', name: 'D', nickname: 'D' },
      picture: 'https://i.example',
    },
  },
  {
    kind: 'patreon',
    says: {
      'https://www.patreon.com/api/oauth2/v2/identity': {
        data: { id: '12', attributes: { email: 'p@p.example', first_name: 'P', last_name: 'Q', full_name: 'P Q' } },
      },
    },
    claims: {
      ...{ iss: 'https://www.patreon.com/', sub: '12', name: 'P Q', email: 'p@p.example', given_name: 'P' },
      ...{ family_name: 'Q', last_name: 'Q' },
    },
  },
  {
    kind: 'linkedin',
    says: {
      'https://api.linkedin.com/v2/me': {
        ...{ id: 'li', localizedFirstName: 'L', localizedLastName: 'I' },
        profilePicture: {
          'displayImage~': {
            elements: [1, 2, 3, 4].map((n) => ({ identifiers: [{ identifier: `https://i.example/${n}` }] })),
          },
        },
      },
      'https://api.linkedin.com/v2/emailAddress': { elements: [{ 'handle~': { emailAddress: 'l@li.example' } }] },
    },
    claims: {
      ...{ iss: 'https://login.linkedin.com/', sub: 'li', email: 'l@li.example', given_name: 'L', last_name: 'I' },
      picture: 'https://i.example/3',
    },
  },
  {
    kind: 'uaepass',
    config: { issuer_url: 'https://stg-id.uaepass.example/' },
    says: {
      'https://stg-id.uaepass.example/idshub/userinfo': {
        sub: 'u',
        email: 'u@u.example',
        fullnameEN: 'U V',
        idn: '784',
      },
    },
    claims: {
      ...{ iss: 'https://stg-id.uaepass.example', sub: 'u', email: 'u@u.example', name: 'U V' },
      raw_claims: { sub: 'u', email: 'u@u.example', fullnameEN: 'U V', idn: '784' },
    },
  },
]

/** Providers of OpenID Connect at fixed places, and where each says it is. */
const ISSUERS: Partial<Record<Provider['provider'], string>> = {
  generic: 'https://op.example',
  google: 'https://accounts.google.com',
  line: 'https://access.line.me',
  apple: 'https://appleid.apple.com',
}

async function issuer(iss: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'k' }
  const make = (claims: Record<string, unknown>) =>
    new SignJWT({ iss, aud: 'client', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(privateKey)
  const base = iss.replace(/\/$/, '')
  const says = {
    [`${base}/.well-known/openid-configuration`]: {
      ...{ issuer: iss, authorization_endpoint: `${base}/auth`, token_endpoint: `${base}/token` },
      ...{ jwks_uri: `${base}/jwks`, userinfo_endpoint: `${base}/userinfo` },
    },
    [`${base}/jwks`]: { keys: [{ kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' }, { kty: 'new' }, jwk] },
  }
  return { make, says }
}

const query = new URLSearchParams()

describe('kinds of providers', () => {
  for (const { kind, config, answer, says, claims } of APIS) {
    it(`${kind}: what its API says becomes claims`, async () => {
      const { upstream } = stage(says)
      const entry = provider({ provider: kind, ...config })
      const got = await kindOf(entry).claims({ provider: entry, tokens: tokens(answer), upstream, query })
      assert.deepEqual(got, claims)
    })

    it(`${kind}: an API that fails is the provider's fault`, async () => {
      const { upstream } = stage(Object.fromEntries(Object.keys(says).map((url) => [url, { status: 403, body: '' }])))
      const entry = provider({ provider: kind, ...config })
      await assert.rejects(kindOf(entry).claims({ provider: entry, tokens: tokens(answer), upstream, query }), {
        ...{ status: 502, id: 'upstream_error' },
        reason: 'OpenID Connect provider returned a 403 status code but 200 is expected.',
      })
    })
  }

  for (const [kind, iss] of Object.entries(ISSUERS) as [Provider['provider'], string][]) {
    it(`${kind}: the id token counts when the issuer signed it for us, in time`, async () => {
      const { make, says } = await issuer(iss)
      const { upstream } = stage(says)
      const entry = provider({ provider: kind, ...(kind === 'generic' ? { issuer_url: iss } : {}) })
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

  it('microsoft: the issuer is the tenant of the person, and the subject what the configuration says', async () => {
    const tid = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
    const { make, says } = await issuer(`https://login.microsoftonline.com/${tid}/v2.0`)
    const { upstream } = stage({ ...says, 'https://graph.microsoft.com/v1.0/me': { id: 'me' } })
    for (const [subject_source, sub] of [
      ['userinfo', 's'],
      ['oid', 'o'],
      ['me', 'me'],
    ] as const) {
      const entry = provider({ provider: 'microsoft', microsoft_tenant: 'common', subject_source })
      const sent = tokens({}, await make({ sub: 's', oid: 'o', tid }))
      assert.equal((await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })).sub, sub)
    }
    const entry = provider({ provider: 'microsoft', microsoft_tenant: 'common' })
    const odd = tokens({}, await make({ sub: 's', tid: '../evil' }))
    await assert.rejects(kindOf(entry).claims({ provider: entry, tokens: odd, upstream, query }), { status: 400 })
  })

  it('apple: the secret is a token of our own, the name comes from the form', async () => {
    const { make, says } = await issuer('https://appleid.apple.com')
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { upstream, token, asked } = stage({
      ...says,
      'https://appleid.apple.com/auth/token': { access_token: 'at' },
    })
    const entry = provider({
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
    const entry = provider({ provider: 'x', scope: ['email'] })
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
    const { make, says } = await issuer('https://op.example')
    const { upstream } = stage(says)
    const entry = provider({ issuer_url: 'https://op.example' })
    const odd = { sub: 's', email_verified: 'True', updated_at: '1577836800', picture: {}, name: 7, birthdate: null }
    const sent = tokens({}, await make({ ...odd, locale: { language: 'de', country: 'CH' } }))
    const claims = await kindOf(entry).claims({ provider: entry, tokens: sent, upstream, query })
    const { raw_claims: _, iss: __, ...rest } = claims
    assert.deepEqual(rest, { sub: 's', email_verified: true, updated_at: 1577836800, name: '7', locale: 'de-CH' })
  })
})

describe('the token endpoint', () => {
  const code = { code: 'c', redirectUri: 'https://us.example/cb', verifier: 'v'.repeat(43) }
  const entry = provider({ provider: 'gitlab', issuer_url: 'https://git.example' })
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
    const { accessToken } = await token.exchange({ provider: provider({ provider: 'dingtalk' }), ...code })
    assert.equal(accessToken, 'at')
    assert.deepEqual(JSON.parse(asked[0]!.body!), {
      ...{ clientId: 'client', clientSecret: 'secret', code: 'c', grantType: 'authorization_code' },
    })
  })
})

describe('what is kept of providers', () => {
  it('discovery is asked once, and anew after a failure', async () => {
    const { says } = await issuer('https://op.example')
    let down = true
    const url = 'https://op.example/.well-known/openid-configuration'
    const { upstream, asked } = stage({ [url]: () => (down ? { status: 503, body: '' } : says[url]) })
    await assert.rejects(upstream.discover('https://op.example'), { status: 500, id: 'invalid_configuration' })
    down = false
    for (let i = 0; i < 3; i += 1) await upstream.discover('https://op.example')
    assert.equal(asked.length, 2)
  })

  it('an issuer that names another is not believed', async () => {
    const { says } = await issuer('https://op.example')
    const { upstream } = stage({ 'https://us.example/.well-known/openid-configuration': Object.values(says)[0] })
    await assert.rejects(upstream.discover('https://us.example'), {
      reason: /^Unable to initialize OpenID Connect Provider: /,
    })
  })

  it('unknown keys are a reason to read keys again, but not for every token', async () => {
    const first = await issuer('https://op.example')
    const second = await issuer('https://op.example')
    const { upstream, asked } = stage(first.says)
    const trust = { issuer: 'https://op.example', jwksUri: 'https://op.example/jwks', audiences: ['client'] }
    await upstream.verify(await first.make({ sub: 's' }), trust)
    for (let i = 0; i < 20; i += 1) await assert.rejects(upstream.verify(await second.make({ sub: 's' }), trust))
    assert.ok(asked.length <= 2, `${asked.length} times`)
    assert.equal(decodeJwt(await second.make({ sub: 's' })).sub, 's')
  })
})
