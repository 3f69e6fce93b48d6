import { z } from 'zod'
import { duration, integer, key, pause, section, sensitive } from './fields.ts'
import { webhookEvents, webhookHeaders, webhookSecret, webhookTimeout, webhookUrl } from './webhook.ts'

const webhook = z.strictObject({
  id: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/)
    .describe('Own name of this receiver, in logs and in the delivery table.'),
  url: webhookUrl.describe('Where events are sent to, by POST.'),
  secret: sensitive(webhookSecret).describe(
    'Signs each delivery. `whsec_` and base64 of 24 to 64 bytes, or any other text.',
  ),
  previous_secrets: z
    .array(sensitive(webhookSecret))
    .default([])
    .describe('Sign too, until the receiver knows the new secret.'),
  events: webhookEvents.default(['*']).describe('Kinds of events to send; `*` is all.'),
  headers: sensitive(webhookHeaders).default({}).describe('Additional request headers.'),
  timeout: webhookTimeout.prefault('5s').describe('Total time of one try, from 100ms to 60s.'),
})

/** The log of events, and how others hear of them. */
export const events = section({
  retention: key(
    duration().prefault('720h'),
    'How long events are kept, and with them what is known of their deliveries. One that is still to be delivered is kept longer.',
  ),
  device_retention: key(
    duration().optional(),
    'How long events say address, user agent and place of a sign-in. Unset: as long as the events are kept.',
  ),
  refused_registrations: key(
    integer(0, 100_000).default(60),
    'Registrations that were refused, of which one process writes the event `registration.refused` within a minute; those beyond are counted in the next one. Any client can send such forms: without a limit they would fill the log. 0: none.',
  ),
  poll_interval: key(
    pause(10).prefault('100ms'),
    'How often a node looks for new events while clients or receivers wait for them.',
    'A',
    'start',
  ),
  webhooks: key(
    z.array(webhook).default([]),
    'Receivers of events: `id`, `url`, `secret`, `previous_secrets`, `events`, `headers`, `timeout`. More can be added by the admin port.',
  ),
  delivery: section({
    give_up_after: key(
      duration().prefault('72h'),
      'For how long the delivery of an event is tried again; then it is put on the list of dead letters.',
    ),
    max_pause: key(
      pause(100).prefault('10m'),
      'Longest pause between two tries. Pauses double from one second on, with some jitter.',
    ),
    concurrency: key(integer(1, 256).default(16), 'Tries at once that one process makes to one receiver.'),
  }),
  stream: section({
    max_listeners: key(integer(0).default(10_000), 'Open streams of one process; more are answered with 503.'),
    max_listeners_per_identity: key(
      integer(1).default(100),
      'Of these, streams of the sessions of one identity; more are answered with 429, so that one account cannot take all of them.',
    ),
  }),
  revocations: section({
    public: key(
      z.boolean().default(false),
      'Serves `/sessions/revocations` on the public port too. It tells everyone the ids of ended sessions.',
    ),
    window: key(
      duration().optional(),
      'How far back the list reaches. Unset: the longest `ttl` of `session.whoami.tokenizer.templates` and a minute, at least five minutes.',
    ),
  }),
  page: key(
    z.boolean().optional(),
    'Serves a page with live events and deliveries on the admin port. Unset: only when that port listens on a loopback address.',
    'A',
    'start',
  ),
})

export type EventWebhook = z.output<typeof webhook>
