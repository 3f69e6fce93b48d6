import { bodySchema } from '../kernel/http/openapi/body.ts'
import {
  COOKIE,
  type Description,
  empty,
  error,
  formOrJsonBody,
  header,
  json,
  jsonBody,
  list,
  OTHER_ERRORS,
  object,
  query,
  SENT_ON,
  text,
  uuid,
} from '../kernel/http/openapi/openapi.ts'
import { logoutBody } from './body.ts'

const returnTo = query('return_to', 'Where the browser goes afterwards; must be on the allow list.')

export const logoutDescription: Description = {
  tag: 'logout',
  operations: [
    {
      id: 'createBrowserLogoutFlow',
      method: 'get',
      path: '/self-service/logout/browser',
      port: 'public',
      summary: 'Gives the URL that signs the browser out.',
      parameters: [header('cookie', COOKIE.description), returnTo],
      answers: {
        200: json('The URL and its token.', 'logoutFlow'),
        400: error('`return_to` is not allowed.'),
        401: error('There is no active session.'),
        500: error('The server failed; the session is what it was.'),
      },
    },
    {
      id: 'updateLogoutFlow',
      method: 'get',
      path: '/self-service/logout',
      port: 'public',
      summary: 'Signs the browser out. Success is told after the session has ended.',
      parameters: [query('token', 'Token of the logout URL.'), returnTo, COOKIE],
      answers: { 204: empty('Signed out, for scripts that ask for JSON.'), 303: SENT_ON, ...OTHER_ERRORS },
    },
    {
      id: 'endSessions',
      method: 'post',
      path: '/self-service/logout',
      port: 'public',
      summary: 'Signs out by one request: the current session, the others, all, or those named. Idempotent.',
      parameters: [COOKIE, header('X-Session-Token', 'Session token of an app; needs no anti-CSRF token.')],
      body: formOrJsonBody('endSessionsBody', false),
      answers: {
        200: json('The sessions that this request ended.', 'endedSessions'),
        303: SENT_ON,
        400: error('The body cannot be read, or `return_to` is not allowed.'),
        401: error('There is no active session.'),
        403: error('The anti-CSRF token is missing or wrong.'),
        ...OTHER_ERRORS,
      },
    },
    {
      id: 'performNativeLogout',
      method: 'delete',
      path: '/self-service/logout/api',
      port: 'public',
      summary: 'Signs an app out by its session token.',
      body: jsonBody('performNativeLogoutBody'),
      answers: {
        204: empty('The session has ended.'),
        400: error('The body cannot be read, or the token is not known.'),
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    logoutFlow: object({ logout_token: text, logout_url: text }),
    performNativeLogoutBody: object({ session_token: text }),
    endSessionsBody: bodySchema(logoutBody),
    endedSessions: object({ revoked: list(uuid) }),
  },
}
