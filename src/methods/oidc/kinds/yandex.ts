import { member, textAt } from '../claims.ts'
import { oauth2 } from '../oauth2.ts'

const INFO = 'https://login.yandex.ru/info'

/** @see https://yandex.com/dev/id/doc/en/user-information */
export const yandex = oauth2(
  { authorization: 'https://oauth.yandex.com/authorize', token: 'https://oauth.yandex.com/token' },
  async ({ tokens, upstream }) => {
    const user = await upstream.getJson(`${INFO}?format=json`, { authorization: `OAuth ${tokens.accessToken}` })
    const avatar = textAt(user, 'default_avatar_id')
    return {
      iss: INFO,
      sub: textAt(user, 'id'),
      given_name: textAt(user, 'first_name'),
      family_name: textAt(user, 'last_name'),
      picture:
        member(user, 'is_avatar_empty') === true || avatar === ''
          ? ''
          : `https://avatars.yandex.net/get-yapic/${avatar}/islands-200`,
      email: textAt(user, 'default_email'),
      gender: textAt(user, 'sex'),
      birthdate: textAt(user, 'birthday'),
    }
  },
)
