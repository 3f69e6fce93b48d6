import { createHmac, randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { createSeal } from '../../src/kernel/crypto/seal.ts'
import type { Provider } from '../../src/methods/oidc/kind.ts'
import { createProviderSignIn, type SignInDeps } from '../../src/methods/oidc/sign-in.ts'
import { createTokenEndpoint } from '../../src/methods/oidc/token.ts'
import type { Upstream } from '../../src/methods/oidc/upstream.ts'

/** An entry of the configuration, as the schema completes it. */
export const providerOf = (more: Partial<Provider>): Provider => ({
  ...{ id: 'one', provider: 'generic', client_id: 'client', client_secret: 'secret', mapper_url: 'base64://e30=' },
  ...{ subject_source: 'userinfo', claims_source: 'id_token', pkce: 'auto', update_identity_on_login: 'never' },
  ...more,
})

/** What a provider with an API of its own says, by its documentation, and the claims that follow. */
export const APIS: {
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
    claims: { iss: 'https://github.com/login/oauth/access_token', sub: '2', nickname: 'app' },
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
export const ISSUERS: Partial<Record<Provider['provider'], string>> = {
  generic: 'https://op.example',
  google: 'https://accounts.google.com',
  line: 'https://access.line.me',
  apple: 'https://appleid.apple.com',
}

/** An issuer with a key of its own, among some that nobody understands. */
export async function issuerOf(iss: string) {
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

/** Somebody comes back with a code that the provider takes. */
export function arriveAt(entry: Provider, upstream: Upstream) {
  const providers = createProviderSignIn({
    config: () => ({
      selfservice: { methods: { oidc: { config: { providers: [entry] } } } },
      lethe: { providers: [] },
    }),
    publicBaseUrl: () => 'https://us.example',
    random: randomBytes,
    seal: createSeal('test', () => ['secret-of-the-test'], randomBytes),
    upstream,
    tokenEndpoint: createTokenEndpoint(upstream),
  } as unknown as SignInDeps)
  const state = { flowId: '', kind: 'login' as const, provider: entry.id, verifier: 'v', binding: Buffer.alloc(0) }
  const query = new URLSearchParams({ code: 'c', oauth_token: 'rt', oauth_verifier: 'v' })
  return providers.arrive(state, 'state', query)
}
