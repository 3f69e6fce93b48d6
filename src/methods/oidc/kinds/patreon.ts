import { member, textAt } from '../claims.ts'
import { bearer } from '../generic.ts'
import { oauth2 } from '../oauth2.ts'

const FIELDS = 'first_name,last_name,url,full_name,email,image_url'

/** @see https://docs.patreon.com/#oauth */
export const patreon = oauth2(
  { authorization: 'https://www.patreon.com/oauth2/authorize', token: 'https://www.patreon.com/api/oauth2/token' },
  async ({ tokens, upstream }) => {
    const url = `https://www.patreon.com/api/oauth2/v2/identity?fields%5Buser%5D=${FIELDS}`
    const data = member(await upstream.getJson(url, bearer(tokens.accessToken)), 'data')
    const of = (name: string) => textAt(data, 'attributes', name)
    return {
      iss: 'https://www.patreon.com/',
      sub: textAt(data, 'id'),
      name: of('full_name'),
      email: of('email'),
      given_name: of('first_name'),
      family_name: of('last_name'),
      last_name: of('last_name'),
      picture: of('image_url'),
    }
  },
  { parameters: (_, refresh) => ({ prompt: refresh ? 'consent' : 'none' }) },
)
