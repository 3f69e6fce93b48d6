import { type Db, sql } from '../../src/kernel/db/client.ts'

const QUEUED = sql(
  'test.messages_of',
  `select template_type as type, convert_from(template_data, 'UTF8')::jsonb as data from courier_messages
  where recipient = $1 order by created_at, id`,
)

export interface QueuedMessage {
  type: string
  data: Record<string, string>
}

/** What was queued for an address, the oldest first. */
export function messagesOf(server: { db: Db }, recipient: string): Promise<QueuedMessage[]> {
  return server.db.query<QueuedMessage & Record<string, unknown>>(QUEUED, [recipient])
}

/** The code that was sent last. @param member of the data, e.g. `recovery_code` */
export async function lastCode(server: { db: Db }, recipient: string, member: string): Promise<string> {
  const code = (await messagesOf(server, recipient)).at(-1)?.data[member]
  if (code === undefined) throw new Error(`no ${member} was sent to ${recipient}`)
  return code
}
