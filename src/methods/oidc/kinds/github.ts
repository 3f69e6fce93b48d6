import { member, textAt } from '../claims.ts'
import { bearer } from '../generic.ts'
import type { ClaimsRequest } from '../kind.ts'
import { assertGranted, oauth2 } from '../oauth2.ts'

const TOKEN = 'https://github.com/login/oauth/access_token'
const ENDPOINTS = { authorization: 'https://github.com/login/oauth/authorize', token: TOKEN }
const API = 'https://api.github.com'

/** @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
export const github = oauth2(ENDPOINTS, async (request) => {
  assertGranted(request, ',')
  const granted = textAt(request.tokens.answer, 'scope').split(',')
  return { ...(await profile(request)), ...(granted.includes('user:email') ? await address(request) : {}) }
})

/** Its tokens have permissions instead of scopes. */
export const githubApp = oauth2(ENDPOINTS, async (request) => ({
  ...(await profile(request)),
  ...(await address(request)),
}))

async function profile({ tokens, upstream }: ClaimsRequest) {
  const user = await upstream.getJson(`${API}/user`, bearer(tokens.accessToken))
  return {
    iss: TOKEN,
    sub: textAt(user, 'id'),
    name: textAt(user, 'name'),
    nickname: textAt(user, 'login'),
    website: textAt(user, 'blog'),
    picture: textAt(user, 'avatar_url'),
    profile: textAt(user, 'html_url'),
    updated_at: textAt(user, 'updated_at'),
  }
}

/** The profile has an address that may not be verified, or none. A verified one counts, the primary one first. */
async function address({ tokens, upstream }: ClaimsRequest) {
  const said = await upstream.getJson(`${API}/user/emails`, bearer(tokens.accessToken))
  const verified = Array.isArray(said) ? said.filter((one) => member(one, 'verified') === true) : []
  const best = verified.find((one) => member(one, 'primary') === true) ?? verified[0]
  return { email: textAt(best, 'email'), email_verified: best !== undefined }
}
