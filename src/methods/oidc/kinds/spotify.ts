import { textAt } from '../claims.ts'
import { bearer } from '../generic.ts'
import { assertGranted, oauth2 } from '../oauth2.ts'

const TOKEN = 'https://accounts.spotify.com/api/token'

/** @see https://developer.spotify.com/documentation/web-api/tutorials/code-flow */
export const spotify = oauth2(
  { authorization: 'https://accounts.spotify.com/authorize', token: TOKEN },
  async (request) => {
    assertGranted(request, ' ')
    const user = await request.upstream.getJson('https://api.spotify.com/v1/me', bearer(request.tokens.accessToken))
    const name = textAt(user, 'display_name')
    return {
      iss: TOKEN,
      sub: textAt(user, 'id'),
      name,
      nickname: name,
      email: textAt(user, 'email'),
      picture: textAt(user, 'images', '0', 'url'),
      profile: textAt(user, 'external_urls', 'spotify'),
      birthdate: textAt(user, 'birthdate'),
    }
  },
)
