import { member, textAt } from '../claims.ts'
import { bearer } from '../generic.ts'
import { assertGranted, oauth2 } from '../oauth2.ts'

const OAUTH2 = 'https://discord.com/api/oauth2/'
const CDN = 'https://cdn.discordapp.com'

/** @see https://discord.com/developers/docs/topics/oauth2 */
export const discord = oauth2(
  { authorization: `${OAUTH2}authorize`, token: `${OAUTH2}token` },
  async (request) => {
    assertGranted(request, ' ')
    const user = await request.upstream.getJson(
      'https://discord.com/api/v9/users/@me',
      bearer(request.tokens.accessToken),
    )
    const [id, name, avatar] = ['id', 'username', 'avatar'].map((member) => textAt(user, member)) as [
      string,
      string,
      string,
    ]
    return {
      iss: OAUTH2,
      sub: id,
      name: `${name}#${textAt(user, 'discriminator')}`,
      nickname: name,
      preferred_username: name,
      picture: avatar === '' ? '' : `${CDN}/avatars/${id}/${avatar}.${avatar.startsWith('a_') ? 'gif' : 'png'}`,
      email: textAt(user, 'email'),
      email_verified: member(user, 'verified') === true,
      locale: textAt(user, 'locale'),
    }
  },
  { parameters: (_, refresh) => ({ prompt: refresh ? 'consent' : 'none' }) },
)
