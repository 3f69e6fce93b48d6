import { member, textAt } from '../claims.ts'
import { upstreamError } from '../errors.ts'
import { oauth2 } from '../oauth2.ts'

const API = 'https://api.vk.com/method/users.get'
const GENDERS: Record<string, string> = { 1: 'female', 2: 'male' }

/** @see https://dev.vk.com/api/access-token/authcode-flow-user */
export const vk = oauth2(
  { authorization: 'https://oauth.vk.com/authorize', token: 'https://oauth.vk.com/access_token' },
  async ({ tokens, upstream }) => {
    const query = new URLSearchParams({
      fields: 'photo_200,nickname,bdate,sex',
      access_token: tokens.accessToken,
      v: '5.103',
    })
    const users = member(await upstream.getJson(`${API}?${query}`), 'response')
    if (!Array.isArray(users) || users.length === 0) {
      throw upstreamError('VK did not return a user in the userinfo request.')
    }
    const [user] = users
    return {
      iss: API,
      sub: textAt(user, 'id'),
      given_name: textAt(user, 'first_name'),
      family_name: textAt(user, 'last_name'),
      nickname: textAt(user, 'nickname'),
      picture: textAt(user, 'photo_200'),
      // Given with the token, if at all.
      email: textAt(tokens.answer, 'email'),
      gender: textAt(GENDERS, textAt(user, 'sex')),
      birthdate: textAt(user, 'bdate'),
    }
  },
)
