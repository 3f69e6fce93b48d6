import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'
import { MESSAGE_STATUS, type MessageFilter, type MessageStatus } from './types.ts'

const COLUMNS = `m.id, case m.status when 1 then 'queued' when 2 then 'sent' when 3 then 'processing' else 'abandoned' end
  as status, case m.type when 2 then 'sms' else 'email' end as type, m.recipient, m.body, m.subject, m.template_type,
  m.channel, m.send_count, m.created_at, m.updated_at`

/** One text for each combination of filters, so that a generic plan can use the index of the given one. */
const list = (name: string, filter: string) =>
  sql(
    `courier.list${name}`,
    `select ${COLUMNS} from courier_messages m
     where m.nid = $1 and m.created_at <= $2 and (m.created_at < $2 or m.id > $3) ${filter}
     order by m.created_at desc, m.id limit $4`,
  )

const LIST = {
  any: list('', ''),
  recipient: list('_recipient', 'and m.recipient = $5'),
  status: list('_status', 'and m.status = $5::int'),
  both: list('_both', 'and m.recipient = $5 and m.status = $6::int'),
}

const ONE = sql(
  'courier.one',
  `select ${COLUMNS}, (select json_agg(json_build_object('id', d.id, 'message_id', d.message_id, 'status', d.status,
      'error', d.error, 'created_at', to_char(d.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'updated_at', to_char(d.updated_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by d.created_at, d.id)
    from (
      select d.id, d.message_id, d.status, d.error, d.created_at, d.updated_at
      from courier_message_dispatches d where d.message_id = m.id and d.nid = m.nid
      order by d.created_at desc limit $3
    ) d) as dispatches
   from courier_messages m where m.id = $1 and m.nid = $2`,
)

const STATE = sql(
  'courier.state',
  `select count(*) as queued, coalesce(extract(epoch from $2::timestamp - min(m.created_at)), 0)::float8 as oldest_seconds
   from courier_messages m where m.nid = $1 and m.status in (1, 3)`,
)

/** The newest tries of one message; older ones are not shown. */
const MAX_DISPATCHES = 100

export interface ListedMessage {
  id: string
  status: MessageStatus
  type: string
  recipient: string
  body: string
  subject: string
  template_type: string
  channel: string | null
  send_count: number
  created_at: Timestamp
  updated_at: Timestamp
}

export type MessageListStore = ReturnType<typeof createMessageListStore>

/** Messages as operators see them. */
export function createMessageListStore(db: Db, nid: string) {
  return {
    /** Newest first. */
    async list(
      { recipient, status }: MessageFilter,
      after: { createdAt: Timestamp; id: string },
      limit: number,
    ): Promise<ListedMessage[]> {
      const values = [nid, after.createdAt, after.id, limit]
      const number = status && MESSAGE_STATUS[status]
      if (recipient !== undefined && number !== undefined)
        return db.query<ListedMessage>(LIST.both, [...values, recipient, number])
      if (recipient !== undefined) return db.query<ListedMessage>(LIST.recipient, [...values, recipient])
      if (number !== undefined) return db.query<ListedMessage>(LIST.status, [...values, number])
      return db.query<ListedMessage>(LIST.any, values)
    },
    async one(id: string): Promise<(ListedMessage & { dispatches: unknown[] | null }) | undefined> {
      return (await db.query<ListedMessage & { dispatches: unknown[] | null }>(ONE, [id, nid, MAX_DISPATCHES]))[0]
    },
    async state(now: Timestamp): Promise<{ queued: number; oldest_seconds: number }> {
      return (await db.query<{ queued: number; oldest_seconds: number }>(STATE, [nid, now]))[0]!
    },
  }
}
