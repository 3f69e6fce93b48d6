import { textAt } from '../claims.ts'
import { upstreamError } from '../errors.ts'
import { bearer } from '../generic.ts'
import { assertGranted, oauth2 } from '../oauth2.ts'

/** @see https://api.slack.com/legacy/oauth */
export const slack = oauth2(
  { authorization: 'https://slack.com/oauth/authorize', token: 'https://slack.com/api/oauth.access' },
  async (request) => {
    assertGranted(request, ',')
    const answer = await request.upstream.getJson(
      'https://slack.com/api/users.identity',
      bearer(request.tokens.accessToken),
    )
    if (textAt(answer, 'error') !== '') throw upstreamError(textAt(answer, 'error'))
    const name = textAt(answer, 'user', 'name')
    return {
      iss: 'https://slack.com/oauth/',
      sub: textAt(answer, 'user', 'id'),
      name,
      preferred_username: name,
      nickname: name,
      email: textAt(answer, 'user', 'email'),
      // Slack requires a verified address to sign in.
      email_verified: true,
      picture: textAt(answer, 'user', 'image_512'),
      team: textAt(answer, 'team', 'id'),
    }
  },
)
