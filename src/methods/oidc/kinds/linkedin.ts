import { member, textAt } from '../claims.ts'
import { at, bearer } from '../generic.ts'
import { oauth2 } from '../oauth2.ts'

const API = 'https://api.linkedin.com/v2'
const PROFILE = `${API}/me?projection=(id,localizedFirstName,localizedLastName,profilePicture(displayImage~digitalmediaAsset:playableStreams))`
const ADDRESS = `${API}/emailAddress?q=members&projection=(elements*(handle~))`
/** Sizes increase along the list; the third is wide enough. */
const PICTURE = 3

/** The sign-in of before 2023. @see https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow */
export const linkedin = oauth2(
  {
    authorization: 'https://www.linkedin.com/oauth/v2/authorization',
    token: 'https://www.linkedin.com/oauth/v2/accessToken',
  },
  async ({ tokens, upstream }) => {
    const user = await upstream.getJson(PROFILE, bearer(tokens.accessToken))
    const address = await upstream.getJson(ADDRESS, bearer(tokens.accessToken))
    const pictures = member(member(member(user, 'profilePicture') ?? null, 'displayImage~') ?? null, 'elements')
    const picture = Array.isArray(pictures) ? (pictures.slice(0, PICTURE).at(-1) ?? null) : null
    return {
      iss: 'https://login.linkedin.com/',
      sub: textAt(user, 'id'),
      email: textAt(address, 'elements', '0', 'handle~', 'emailAddress'),
      given_name: textAt(user, 'localizedFirstName'),
      last_name: textAt(user, 'localizedLastName'),
      picture: textAt(picture, 'identifiers', '0', 'identifier'),
    }
  },
)

/** OpenID Connect, with an id token that has less than the userinfo endpoint. */
export const linkedinV2 = at('https://www.linkedin.com/oauth', {}, { claims_source: 'userinfo' })
