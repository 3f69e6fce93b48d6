import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'
import { type Channel, MESSAGE_STATUS, type TemplateType } from './types.ts'

/**
 * Takes what is due, the oldest first, as Kratos reads it: its courier takes only what is queued. A lease that has ended
 * is taken over, and the try that was lost is written down as one that failed. The row of the claim decides between two
 * nodes: its lock is waited for, and then it is judged as it is.
 */
const CLAIM = sql(
  'courier.claim',
  `with due as (
    select m.id, m.status, m.send_count >= $7::int as spent from courier_messages m left join lethe.courier_claims c on c.message_id = m.id
    where m.nid = $1 and m.type = $2 and m.status in (1, 3)
      and (c.due_at <= $3 or (m.status = 1 and c.message_id is null))
    order by m.created_at, m.id limit $4 for update of m skip locked
  ), leased as (
    insert into lethe.courier_claims as c (message_id, claim, due_at) select due.id, $5::uuid, $6::timestamp from due
    on conflict (message_id) do update set claim = excluded.claim, due_at = excluded.due_at where c.due_at <= $3
    returning c.message_id
  ), lost as (
    insert into courier_message_dispatches (id, message_id, nid, status, error, created_at, updated_at)
    select gen_random_uuid(), due.id, $1, 'failed', $8::json, $3, $3
    from due join leased on leased.message_id = due.id where due.status = 3
  ), taken as (
    update courier_messages m set status = 3, send_count = m.send_count + case when due.spent then 0 else 1 end
    from leased join due on due.id = leased.message_id where m.id = leased.message_id and m.nid = $1
    returning due.spent, m.id, m.type, m.recipient, m.subject, m.body, m.template_type, m.template_data, m.request_headers,
      m.send_count, m.created_at
  )
  select t.id, case t.type when 2 then 'sms' else 'email' end as channel, t.recipient, t.subject, t.body,
    t.template_type as template, encode(t.template_data, 'base64') as data, t.request_headers,
    t.send_count, t.spent, t.created_at
  from taken t order by t.created_at, t.id`,
)

/** The message is locked before its claim, in the order in which it is taken. */
const HELD = `held as (
    select m.id from courier_messages m where m.id = $1 and m.nid = $2 for update
  )`
const DISPATCH = `insert into courier_message_dispatches (id, message_id, nid, status, error, created_at, updated_at)
  select $4::uuid, mine.message_id, $2, $5, $6::json, $7::timestamp, $7::timestamp from mine`

/** Codes and links have done their work, or never will: they are not kept in clear. */
const FINISH = sql(
  'courier.finish',
  `with ${HELD}, mine as (
    delete from lethe.courier_claims c using held where c.message_id = held.id and c.claim = $3 returning c.message_id
  ), message as (
    update courier_messages m set status = $8::int,
      subject = case when $9::boolean then '' else m.subject end, body = case when $9 then '' else m.body end,
      template_data = case when $9 then null else m.template_data end,
      request_headers = case when $9 then null else m.request_headers end
    from mine where m.id = mine.message_id and m.nid = $2
  )
  ${DISPATCH}`,
)

const AGAIN = sql(
  'courier.again',
  `with ${HELD}, mine as (
    update lethe.courier_claims c set claim = null, due_at = $8::timestamp
    from held where c.message_id = held.id and c.claim = $3 returning c.message_id
  ), message as (
    update courier_messages m set status = 1, send_count = m.send_count - $9::int
    from mine where m.id = mine.message_id and m.nid = $2
  )
  ${DISPATCH}`,
)

/**
 * What another courier has taken is left to it until `$2`. One that is stopped in the middle leaves it so for ever, as
 * nothing in its tables tells since when.
 */
const WATCH_FOREIGN = sql(
  'courier.watch_foreign',
  `with old as (delete from lethe.courier_claims c where c.claim is null and c.due_at < $3)
  insert into lethe.courier_claims (message_id, claim, due_at)
  select m.id, null, $2 from courier_messages m
  where m.nid = $1 and m.status = 3
    and not exists (select from lethe.courier_claims c where c.message_id = m.id)
  on conflict (message_id) do nothing`,
)

/** Written down for a try whose process ended before its outcome was. */
const LOST_TRY = JSON.stringify({
  code: 500,
  status: 'Internal Server Error',
  reason:
    'The process that made this try ended, or was away, before it knew the outcome: the message may have arrived.',
  message: 'The outcome is not known.',
})

/** A message taken for a try. */
export interface ClaimedMessage {
  id: string
  channel: Channel
  recipient: string
  subject: string
  /** the plain text */
  body: string
  template: TemplateType
  /** JSON, as base64; null where there is none */
  data: string | null
  request_headers: Record<string, string[]> | null
  /** tries begun, this one included unless it is not to be made */
  send_count: number
  /** all tries that are allowed have been begun: this one is not to be made */
  spent: boolean
  created_at: Timestamp
}

export interface MessageClaim {
  /** of `courier_messages` */
  type: number
  now: Timestamp
  limit: number
  id: string
  until: Timestamp
  /** tries that are allowed */
  tries: number
}

/** What became of a try. */
export interface TryOutcome {
  messageId: string
  claim: string
  dispatchId: string
  now: Timestamp
  /** JSON for the operator; undefined: it was sent */
  error: string | undefined
}

export type ClaimStore = ReturnType<typeof createClaimStore>

/** Messages as those who send them see them. Nothing is written for a claim that another has taken over. */
export function createClaimStore(db: Db, nid: string) {
  const common = ({ messageId, claim, dispatchId, error, now }: TryOutcome) => {
    return [messageId, nid, claim, dispatchId, error === undefined ? 'success' : 'failed', error ?? 'null', now]
  }
  return {
    claim: ({ type, now, limit, id, until, tries }: MessageClaim): Promise<ClaimedMessage[]> =>
      db.query(CLAIM, [nid, type, now, limit, id, until, tries, LOST_TRY]),
    /** @param blank whether texts and data are emptied */
    async finish(outcome: TryOutcome, status: 'sent' | 'abandoned', blank: boolean): Promise<void> {
      await db.query(FINISH, [...common(outcome), MESSAGE_STATUS[status], blank])
    },
    /** @param counts whether the try is one of those that are allowed */
    async again(outcome: TryOutcome, dueAt: Timestamp, counts: boolean): Promise<void> {
      await db.query(AGAIN, [...common(outcome), dueAt, counts ? 0 : 1])
    },
    /** Gives what other couriers have taken until `until`, and forgets what was put back before `before` and sent by them. */
    async watchForeign(until: Timestamp, before: Timestamp): Promise<void> {
      await db.query(WATCH_FOREIGN, [nid, until, before])
    },
  }
}
