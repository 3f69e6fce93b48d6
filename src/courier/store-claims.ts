import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'
import { type Channel, MESSAGE_STATUS, type TemplateType } from './types.ts'

/**
 * Claims due messages in a way that Kratos understands: its courier takes only queued ones. An expired claim is taken over, and
 * its lost try is recorded as failed. Between two nodes the row of the claim decides: the second waits for its lock, and then
 * finds it taken.
 *
 * Domains take turns, those with the fewest messages under way first, so that ten thousand messages to one slow domain hold up
 * no other domain. Within a domain, and among telephone numbers, the oldest comes first. The longest queue is looked at from both
 * ends only, along an index of Kratos: 7 ms for 50,000 messages, and 71 ms to sort them all. More are ranked than are claimed, since other nodes may have locked
 * the first ones. One whose status is another by the time it is locked was taken meanwhile, perhaps by Kratos.
 */
const queued = (order: string) => `(select m.id, m.recipient, m.created_at, 1 as status, true as is_due
    from courier_messages m left join lethe.courier_claims c on c.message_id = m.id
    where m.nid = :nid and m.status = 1 and m.type = :type and (c.message_id is null or c.due_at <= :now)
    order by ${order} limit 300)`
const CLAIM = sql(
  'courier.claim',
  `with ends as (
    ${queued('m.created_at, m.id desc')} union ${queued('m.created_at desc, m.id')} union
    (select m.id, m.recipient, m.created_at, 3, c.due_at <= :now
    from courier_messages m join lethe.courier_claims c on c.message_id = m.id
    where m.nid = :nid and m.status = 3 and m.type = :type order by m.created_at, m.id desc limit 300)
  ), waiting as (
    select id, created_at, status, is_due,
      row_number() over (partition by lower(split_part(recipient, '@', 2)) order by is_due, created_at, id) as turn
    from ends
  ), first as (
    select id, created_at, status, turn from waiting where is_due order by turn, created_at, id limit :limit::int * 8
  ), due as (
    select m.id, m.status, m.send_count >= :tries::int as spent from first join courier_messages m on m.id = first.id
    where m.nid = :nid and m.status = first.status
    order by first.turn, first.created_at, m.id limit :limit for update of m skip locked
  ), leased as (
    insert into lethe.courier_claims as c (message_id, claim, due_at) select due.id, :claim::uuid, :until::timestamp from due
    on conflict (message_id) do update set claim = excluded.claim, due_at = excluded.due_at where c.due_at <= :now
    returning c.message_id
  ), lost as (
    insert into courier_message_dispatches (id, message_id, nid, status, error, created_at, updated_at)
    select gen_random_uuid(), due.id, :nid, 'failed', :lost_try::json, :now, :now
    from due join leased on leased.message_id = due.id where due.status = 3
  ), taken as (
    update courier_messages m set status = 3, send_count = m.send_count + case when due.spent then 0 else 1 end
    from leased join due on due.id = leased.message_id where m.id = leased.message_id and m.nid = :nid
    returning due.spent, m.id, m.type, m.recipient, m.subject, m.body, m.template_type, m.template_data, m.request_headers,
      m.send_count, m.created_at
  )
  select t.id, case t.type when 2 then 'sms' else 'email' end as channel, t.recipient, t.subject, t.body,
    t.template_type as template, encode(t.template_data, 'base64') as data, t.request_headers,
    t.send_count, t.spent, t.created_at
  from taken t order by t.created_at, t.id`,
)

/** Locks the message before its claim, the order in which claiming locks them. */
const HELD = `held as (
    select m.id from courier_messages m where m.id = :message and m.nid = :nid for update
  )`
const DISPATCH = `insert into courier_message_dispatches (id, message_id, nid, status, error, created_at, updated_at)
  select :dispatch::uuid, mine.message_id, :nid, :status, :error::json, :now::timestamp, :now::timestamp from mine`

/** Codes and links are not needed in clear any more. */
const FINISH = sql(
  'courier.finish',
  `with ${HELD}, mine as (
    delete from lethe.courier_claims c using held where c.message_id = held.id and c.claim = :claim returning c.message_id
  ), message as (
    update courier_messages m set status = :message_status::int,
      subject = case when :blank::boolean then '' else m.subject end, body = case when :blank then '' else m.body end,
      template_data = case when :blank then null else m.template_data end,
      request_headers = case when :blank then null else m.request_headers end
    from mine where m.id = mine.message_id and m.nid = :nid
  )
  ${DISPATCH}`,
)

const AGAIN = sql(
  'courier.again',
  `with ${HELD}, mine as (
    update lethe.courier_claims c set claim = null, due_at = :due_at::timestamp
    from held where c.message_id = held.id and c.claim = :claim returning c.message_id
  ), message as (
    update courier_messages m set status = 1, send_count = m.send_count - :uncounted::int
    from mine where m.id = mine.message_id and m.nid = :nid
  )
  ${DISPATCH}`,
)

/**
 * Leaves messages that another courier has taken to it until `$2`. If that courier is killed they stay so for ever, as
 * its tables do not say when it took them.
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

/** Recorded for a try whose process ended before it had recorded the outcome. */
const LOST_TRY = JSON.stringify({
  code: 500,
  status: 'Internal Server Error',
  reason:
    'The process that made this try ended, or was away, before it knew the outcome: the message may have arrived.',
  message: 'The outcome is not known.',
})

/** A claimed message. */
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
  /** tries begun, this one included unless `spent` */
  send_count: number
  /** all allowed tries have been begun: the message must not be sent */
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
  /** allowed tries */
  tries: number
}

/** The outcome of a try. */
export interface TryOutcome {
  messageId: string
  claim: string
  dispatchId: string
  now: Timestamp
  /** JSON for the operator; undefined: it was sent */
  error: string | undefined
}

export type ClaimStore = ReturnType<typeof createClaimStore>

/** The queue, for the courier. Nothing is written for a claim that another node has taken over. */
export function createClaimStore(db: Db, nid: string) {
  const common = ({ messageId, claim, dispatchId, error, now }: TryOutcome) => {
    const outcome = { status: error === undefined ? 'success' : 'failed', error: error ?? 'null', now }
    return { message: messageId, nid, claim, dispatch: dispatchId, ...outcome }
  }
  return {
    claim: ({ id, ...claim }: MessageClaim): Promise<ClaimedMessage[]> =>
      db.query(CLAIM, { ...claim, claim: id, nid, lost_try: LOST_TRY }),
    /** @param blank whether texts and data are emptied */
    async finish(outcome: TryOutcome, status: 'sent' | 'abandoned', blank: boolean): Promise<void> {
      await db.query(FINISH, { ...common(outcome), message_status: MESSAGE_STATUS[status], blank })
    },
    /** @param counts whether the try counts towards the allowed ones */
    async again(outcome: TryOutcome, dueAt: Timestamp, counts: boolean): Promise<void> {
      await db.query(AGAIN, { ...common(outcome), due_at: dueAt, uncounted: counts ? 0 : 1 })
    },
    /** Gives other couriers until `until` for their messages, and forgets notes that are older than `before`. */
    async watchForeign(until: Timestamp, before: Timestamp): Promise<void> {
      await db.query(WATCH_FOREIGN, [nid, until, before])
    },
  }
}
