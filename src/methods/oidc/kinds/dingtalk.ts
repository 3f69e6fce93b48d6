import { textAt } from '../claims.ts'
import { upstreamError } from '../errors.ts'
import { oauth2 } from '../oauth2.ts'

const API = 'https://api.dingtalk.com/v1.0'
const ME = `${API}/contact/users/me`

/** @see https://open.dingtalk.com/document/orgapp/tutorial-obtaining-user-personal-information */
export const dingtalk = oauth2(
  { authorization: 'https://login.dingtalk.com/oauth2/auth', token: `${API}/oauth2/userAccessToken` },
  async ({ tokens, upstream }) => {
    const user = await upstream.getJson(ME, { 'x-acs-dingtalk-access-token': tokens.accessToken })
    if (textAt(user, 'message') !== '') throw upstreamError(textAt(user, 'message'))
    const name = textAt(user, 'nick')
    return {
      iss: ME,
      sub: textAt(user, 'openId'),
      name,
      nickname: name,
      picture: textAt(user, 'avatarUrl'),
      email: textAt(user, 'email'),
    }
  },
  {
    parameters: () => ({ prompt: 'consent' }),
    token: { auth: 'json', read: (answer) => ({ access_token: answer.accessToken ?? '' }) },
  },
)
