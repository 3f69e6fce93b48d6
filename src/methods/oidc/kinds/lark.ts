import { textAt } from '../claims.ts'
import { bearer } from '../generic.ts'
import { oauth2 } from '../oauth2.ts'

const OAUTH = 'https://passport.feishu.cn/suite/passport/oauth'

/** @see https://open.feishu.cn/document/common-capabilities/sso/api/get-user-info */
export const lark = oauth2(
  { authorization: `${OAUTH}/authorize`, token: `${OAUTH}/token` },
  async ({ tokens, upstream }) => {
    const user = await upstream.getJson(`${OAUTH}/userinfo`, bearer(tokens.accessToken))
    const name = textAt(user, 'name')
    return {
      iss: `${OAUTH}/userinfo`,
      sub: textAt(user, 'open_id'),
      name,
      nickname: name,
      picture: textAt(user, 'avatar_url'),
      email: textAt(user, 'email'),
      phone_number: textAt(user, 'mobile'),
    }
  },
  { token: { auth: 'body' } },
)
