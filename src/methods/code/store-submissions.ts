import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'

const TABLES = { login: 'selfservice_login_flows', registration: 'selfservice_registration_flows' } as const

/** How many codes were sent to a flow, on all nodes. */
export type SubmissionStore = ReturnType<typeof createSubmissionStore>

export function createSubmissionStore(db: Db, nid: string, kind: keyof typeof TABLES) {
  // Beyond any limit it counts no further.
  const count = sql(
    `${kind}_flow.count_submission`,
    `update ${TABLES[kind]} set submit_count = least(submit_count, 10000) + 1 where id = $1 and nid = $2
    returning submit_count as count`,
  )
  const pass = sql(
    `${kind}_flow.pass_challenge`,
    `update ${TABLES[kind]} set submit_count = submit_count + 1, state = 'passed_challenge'
    where id = $1 and nid = $2 and submit_count < $3 returning id`,
  )
  return {
    /** Counts one more wrong code. @returns how many codes there were */
    async count(flowId: string): Promise<number> {
      const [row] = await db.query<{ count: number }>(count, [flowId, nid])
      return row?.count ?? Number.POSITIVE_INFINITY
    },
    /** Counts the right code, and notes that it was. @returns false where more were tried before than are allowed */
    async pass(flowId: string, allowed: number, tx: Queryable): Promise<boolean> {
      return (await tx.query(pass, [flowId, nid, allowed])).length > 0
    },
  }
}
