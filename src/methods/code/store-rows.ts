import { HOLD_IDENTITY, HOLD_OWNER } from '../../identities/sql.ts'
import type { Timestamp } from '../../kernel/base/clock.ts'
import { NO_UUID } from '../../kernel/base/uuid.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'

type Kind = 'login' | 'registration' | 'recovery' | 'verification'

/** What holds the owner, by the value of `of`. */
const HOLD = { login: HOLD_IDENTITY, recovery: HOLD_IDENTITY, verification: HOLD_OWNER, registration: undefined }

/** The same for the codes of every kind of flow: they are voided with the flow's next one, and used once. */
export function codeRows(db: Pick<Db, 'query'>, nid: string, kind: Kind) {
  const table = `identity_${kind}_codes`
  const remove = sql(
    `${kind}_code.delete_of_flow`,
    `delete from ${table} where selfservice_${kind}_flow_id = $1 and nid = $2 and id <> $3`,
  )
  const hold = HOLD[kind]
  // Of several concurrent requests, the row lets one through.
  const use = sql(
    `${kind}_code.use`,
    `update ${table} set used_at = $3 where id = $1 and nid = $2 and used_at is null and expires_at > $3 returning id`,
  )
  return {
    /** Before all other rows of the owner. @param of the identity; for verification the address */
    async hold(of: string, tx: Queryable): Promise<void> {
      if (hold) await tx.query(hold, [of, nid])
    },
    /** Voids the codes of the flow. @param except one that is new */
    async forget(flowId: string, tx: Queryable, except: string = NO_UUID): Promise<void> {
      await tx.query(remove, [flowId, nid, except])
    },
    /** @returns whether this call used it */
    async use(id: string, now: Timestamp, tx: Queryable = db): Promise<boolean> {
      return (await tx.query(use, [id, nid, now])).length > 0
    },
  }
}
