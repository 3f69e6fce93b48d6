import {
  bool,
  COOKIE,
  type Description,
  empty,
  error,
  inPath,
  integer,
  json,
  list,
  nullable,
  OTHER_ERRORS,
  object,
  oneWord,
  PAGE_NUMBERS,
  PAGE_SIZE,
  PAGE_TOKEN,
  query,
  ref,
  SESSION_TOKEN,
  text,
  time,
  uuid,
} from '../kernel/http/openapi/openapi.ts'

const own = [SESSION_TOKEN, COOKIE]
const id = inPath('id', 'Id of the session.', uuid)
const identityId = inPath('id', 'Id of the identity.', uuid)
const active = query('active', 'Only sessions that let someone in (true), or that do not (false).', bool)
const expand = query(
  'expand',
  'What to show beside the session; may be repeated.',
  list(oneWord('identity', 'devices')),
)
const sessions = json('The sessions; the `Link` header leads to other pages.', list(ref('session')))
const unauthorized = error('No session that lets anyone in.')

/** @see kratos/operations.md */
export const sessionsDescription: Description = {
  tag: 'sessions',
  operations: [
    {
      ...{ id: 'toSession', method: 'get', path: '/sessions/whoami', port: 'public' },
      summary: 'Tells whose session a request carries. Answers every method.',
      parameters: [...own, query('tokenize_as', 'Template of the token to sign for the session.')],
      answers: {
        200: json('The session.', 'session'),
        401: unauthorized,
        403: error('The session needs a second factor; `redirect_browser_to` says where to prove it.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'listMySessions', method: 'get', path: '/sessions', port: 'public' },
      summary: 'Lists the other live sessions of the one who asks.',
      parameters: [...PAGE_NUMBERS, PAGE_SIZE, PAGE_TOKEN, ...own],
      answers: { 200: sessions, 400: error('A page that cannot be.'), 401: unauthorized, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'disableMyOtherSessions', method: 'delete', path: '/sessions', port: 'public' },
      summary: 'Ends all other sessions of the one who asks.',
      parameters: own,
      answers: {
        200: json('How many were ended.', 'deleteMySessionsCount'),
        400: error('The request cannot be read.'),
        401: unauthorized,
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'disableMySession', method: 'delete', path: '/sessions/{id}', port: 'public' },
      summary: 'Ends another session of the one who asks.',
      parameters: [id, ...own],
      answers: {
        204: empty('It has ended, or never was.'),
        400: error('The id is that of the current session, or none.'),
        401: unauthorized,
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'exchangeSessionToken', method: 'get', path: '/sessions/token-exchange', port: 'public' },
      summary: 'Gives an app the session that its user has begun in a browser. Once.',
      parameters: [
        { ...query('init_code', 'Code of the app.'), required: true },
        { ...query('return_to_code', 'Code of the browser.'), required: true },
      ],
      answers: {
        200: json('The session and its token.', 'successfulCodeExchangeResponse'),
        400: error('A code is missing.'),
        404: error('No sign-in has completed for these codes yet, or they were used.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'listSessions', method: 'get', path: '/admin/sessions', port: 'admin' },
      summary: "Lists everyone's sessions, newest first.",
      parameters: [PAGE_SIZE, PAGE_TOKEN, active, expand],
      answers: { 200: sessions, 400: error('A page or a filter that cannot be.'), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getSession', method: 'get', path: '/admin/sessions/{id}', port: 'admin' },
      summary: 'Shows one session, ended or not.',
      parameters: [expand, id],
      answers: { 200: json('The session.', 'session'), 400: error('The id is none.'), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'disableSession', method: 'delete', path: '/admin/sessions/{id}', port: 'admin' },
      summary: 'Ends a session. Idempotent.',
      parameters: [id],
      answers: {
        204: empty('It has ended.'),
        400: error('The id is none.'),
        401: error('Not given: the admin port asks for no credentials.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'extendSession', method: 'patch', path: '/admin/sessions/{id}/extend', port: 'admin' },
      summary: 'Prolongs a live session by `session.lifespan` from now on.',
      parameters: [id],
      answers: {
        200: json('The session.', 'session'),
        204: empty('Prolonged, with `feature_flags.faster_session_extend`.'),
        400: error('The id is none.'),
        404: error('There is no such session.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'listIdentitySessions', method: 'get', path: '/admin/identities/{id}/sessions', port: 'admin' },
      summary: 'Lists the sessions of an identity.',
      parameters: [...PAGE_NUMBERS, PAGE_SIZE, PAGE_TOKEN, identityId, active],
      answers: {
        200: sessions,
        400: error('A page or a filter that cannot be.'),
        404: error('There is no such identity.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'deleteIdentitySessions', method: 'delete', path: '/admin/identities/{id}/sessions', port: 'admin' },
      summary: 'Ends and deletes all sessions of an identity.',
      parameters: [identityId],
      answers: {
        204: empty('They are gone.'),
        400: error('The id is none.'),
        401: error('Not given: the admin port asks for no credentials.'),
        404: error('The identity has no session.'),
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    session: object(
      { id: uuid },
      {
        active: bool,
        expires_at: time,
        authenticated_at: time,
        authenticator_assurance_level: ref('authenticatorAssuranceLevel'),
        authentication_methods: list(ref('sessionAuthenticationMethod')),
        issued_at: time,
        identity: nullable(ref('identity')),
        devices: nullable(list(ref('sessionDevice'))),
        tokenized: { ...text, description: 'A signed token, with `tokenize_as`.' },
      },
    ),
    successfulCodeExchangeResponse: object({ session: ref('session') }, { session_token: text }),
    sessionDevice: object({ id: uuid }, { ip_address: text, user_agent: text, location: text }),
    sessionAuthenticationMethod: object({}, { method: text, aal: text, completed_at: time }),
    authenticatorAssuranceLevel: oneWord('aal0', 'aal1', 'aal2', 'aal3'),
    deleteMySessionsCount: object({}, { count: integer }),
  },
}
