import {
  bool,
  COOKIE,
  type Description,
  empty,
  error,
  header,
  integer,
  json,
  list,
  map,
  nullable,
  number,
  OTHER_ERRORS,
  object,
  oneWord,
  PAGE_SIZE,
  PAGE_TOKEN,
  plain,
  query,
  ref,
  SESSION_TOKEN,
  text,
  time,
  uuid,
} from '../kernel/http/openapi/openapi.ts'
import { END_CAUSES, EVENT_TYPES } from './types.ts'
import { webhookOperations, webhookSchemas } from './webhooks/openapi.ts'

const filter = [
  query('type', 'Only events of these types.', list(oneWord(...EVENT_TYPES))),
  query('cause', 'Only ends by these causes.', list(oneWord(...END_CAUSES))),
  query('session_id', 'Only those of a session.', uuid),
  query('identity_id', 'Only those of an identity.', uuid),
]
const stream = plain('Server-sent events; the connection stays open.', 'text/event-stream')
const invalid = error('A parameter cannot be read.')

/** All of it is beyond Kratos. */
export const eventsDescription: Description = {
  tag: 'events',
  operations: [
    {
      id: 'listEvents',
      method: 'get',
      path: '/admin/events',
      port: 'admin',
      summary: 'Lists what happened to sessions, newest first.',
      parameters: [
        ...filter,
        query('since', 'Not before this time.', time),
        query('until', 'Before this time.', time),
        PAGE_SIZE,
        PAGE_TOKEN,
      ],
      answers: { 200: json('The events.', list(ref('event'))), 400: invalid, ...OTHER_ERRORS },
    },
    {
      id: 'getEventStatus',
      method: 'get',
      path: '/admin/events/status',
      port: 'admin',
      summary: 'Shows how far the log and each receiver have come, and which open transaction holds the log back.',
      answers: { 200: json('How far they have come.', 'eventStatus'), ...OTHER_ERRORS },
    },
    {
      id: 'streamEvents',
      method: 'get',
      path: '/admin/events/stream',
      port: 'admin',
      summary: 'Tells what happens to sessions as it happens.',
      parameters: [
        ...filter,
        query('after', 'Begins after this position: an `id` of a stream, a `cursor`, or the `seq` of an event.'),
        query('last', 'Begins with so many past events.', integer),
        header('Last-Event-ID', 'Where a broken stream goes on.'),
      ],
      answers: { 200: stream, 400: invalid, ...OTHER_ERRORS },
    },
    {
      id: 'streamOwnSession',
      method: 'get',
      path: '/sessions/events',
      port: 'public',
      summary: 'Tells the holder of a session when it ends.',
      parameters: [SESSION_TOKEN, COOKIE],
      answers: {
        200: stream,
        400: error('It waits behind another answer of its connection.'),
        401: error('No session that lets anyone in.'),
        429: error('The identity has too many streams open: `lethe.events.stream.max_listeners_per_identity`.'),
        ...OTHER_ERRORS,
      },
    },
    {
      id: 'listRevocations',
      method: 'get',
      path: '/sessions/revocations',
      port: 'both',
      summary:
        'Lists the sessions that ended for as long as a token can speak for them. On the public port only where `lethe.events.revocations.public` is set.',
      parameters: [
        query('after', 'The `cursor` of an earlier list: only what is new.'),
        query('template', 'Whose key signs, with `Accept: application/jose`.'),
        header('If-None-Match', 'The `ETag` of an earlier answer.'),
      ],
      answers: {
        200: {
          description: 'The list; a compact JWS of it with `Accept: application/jose`.',
          content: {
            'application/json': { schema: ref('revocationList') },
            'application/jose': { schema: text },
          },
        },
        304: empty('Nothing is new.'),
        400: invalid,
        ...OTHER_ERRORS,
      },
    },
    ...webhookOperations,
  ],
  schemas: {
    ...webhookSchemas,
    eventStatus: object({
      epoch: text,
      epoch_number: integer,
      position: integer,
      newest: integer,
      complete_up_to: time,
      behind_events: integer,
      behind_seconds: number,
      oldest_transaction: nullable(
        object({
          pid: nullable(integer),
          application: nullable(text),
          since: nullable(time),
          age_seconds: nullable(number),
        }),
      ),
      receivers: list(object({ id: text, lag_events: integer, lag_seconds: number, pending: integer, dead: integer })),
    }),
    revocationList: object({
      cursor: text,
      epoch: text,
      reset: bool,
      complete_up_to: time,
      behind_ms: integer,
      more: bool,
      window_seconds: integer,
      sessions: list(object({ id: uuid, seq: integer, ended_at: time })),
      identities: list(object({ id: uuid, not_before: time })),
      resumed: list(object({ id: uuid, seq: integer, identity_id: nullable(uuid) })),
    }),
    event: object({
      id: uuid,
      seq: integer,
      type: oneWord(...EVENT_TYPES),
      time,
      cause: nullable(oneWord(...END_CAUSES)),
      session_id: nullable(uuid),
      identity_id: nullable(uuid),
      actor: nullable(
        object(
          { type: oneWord('identity', 'admin', 'system', 'database') },
          { id: uuid, role: text, application: text },
        ),
      ),
      device: nullable(object({ ip_address: text, user_agent: text, location: text })),
      data: nullable(map),
    }),
  },
}
