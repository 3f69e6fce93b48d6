import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import type { Channel, TemplateType } from './types.ts'

/** As Kratos writes it, so that its courier can send messages that were queued here. */
const ENQUEUE = sql(
  'courier.enqueue',
  `insert into courier_messages (id, nid, type, channel, status, recipient, subject, body, template_type, template_data,
    request_headers, send_count, created_at, updated_at)
  values (:id, :nid, :type, :channel, 1, :recipient, :subject, :body, :template, convert_to(:data, 'UTF8'), :request_headers::jsonb, 0, :now, :now)`,
)

const SAVEPOINT = sql('courier.savepoint', 'savepoint pretended')
const UNDO = sql('courier.undo', 'rollback to savepoint pretended')
const KEEP = sql('courier.keep', 'release savepoint pretended')

/** `courier_messages.type` */
export const MESSAGE_TYPES: Readonly<Record<Channel, number>> = { email: 1, sms: 2 }
/** The width of the column. */
const MAX_SUBJECT = 255

export interface NewMessageRow {
  id: string
  channel: Channel
  recipient: string
  subject: string
  /** the plain text */
  body: string
  template: TemplateType
  /** JSON */
  data: string
  /** JSON */
  requestHeaders: string
  now: Timestamp
}

export type CourierStore = ReturnType<typeof createCourierStore>

export function createCourierStore(db: Db, nid: string) {
  return {
    async enqueue(row: NewMessageRow, on: Queryable = db): Promise<void> {
      const subject = [...row.subject].slice(0, MAX_SUBJECT).join('')
      const values = { ...row, nid, type: MESSAGE_TYPES[row.channel], subject, request_headers: row.requestHeaders }
      await on.query(ENQUEUE, values)
    },
    /** Runs statements of a transaction, and rolls them back unless `keep`: the same number of statements either way. */
    async tried<T>(tx: Queryable, keep: boolean, work: () => Promise<T>): Promise<T> {
      await tx.query(SAVEPOINT)
      const result = await work()
      await tx.query(keep ? KEEP : UNDO)
      return result
    },
  }
}
