import type { Timestamp } from '../kernel/base/clock.ts'
import { createBatcher } from '../kernel/db/batch.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import { detailValues } from './lifecycle.ts'
import { REVOKE_MANY, REVOKE_MANY_BY_TOKEN, REVOKE_ONE } from './lifecycle-statements.ts'
import { NO_RULES, type RulesSql } from './rules.ts'
import { SELECT_SESSION, SELECT_SESSION_WITHOUT_RULES } from './sql.ts'
import type { End, OnEnded, SessionRow } from './types.ts'

/** Most requests need one of these three, so concurrent calls share a statement. */

/**
 * One look-up by index for each token, written so that the server keeps one plan for any number of them. As `any (:tokens)` it
 * planned each statement anew, for just as many: that took three quarters of its time for one token, half for eight. It must
 * not see the length, hence the inner `select`; and each look-up stands alone, so that a plan that was made while the tables
 * were empty is good for full ones.
 */
const forEachToken = (select: string) => `select one.* from unnest((select :tokens::text[])) as wanted (token)
  cross join lateral (${select} where s.token = wanted.token and s.nid = :nid limit 1) one`
const BY_TOKENS = sql('session.by_token', forEachToken(SELECT_SESSION_WITHOUT_RULES))
const BY_TOKENS_BY_RULES = sql('session.by_token_by_rules', forEachToken(SELECT_SESSION))

export interface HotStoreOptions {
  /** whether another program writes the same tables, so that ends need a tombstone */
  shared: boolean
  now(): Timestamp
  rules?: RulesSql
  onBatch?: (size: number) => void
  onEnded?: OnEnded
  /** for waits for locked rows; see kernel/db/limiter.ts @default the database itself */
  lockWaits?: Queryable
}

/** The forms in which one token may be stored; the column holds one of them. */
type Forms = readonly string[]

interface Ending {
  keys: Forms
  end: End
}

interface Ended {
  key: string
  /** null: there is no such session */
  id: string | null
  was_active: boolean
  ended: boolean
}

export type SessionHotStore = ReturnType<typeof createSessionHotStore>

export function createSessionHotStore(db: Db, nid: string, options: HotStoreOptions) {
  const { shared, now, lockWaits = db, rules: configured = NO_RULES } = options
  const onBatch = options.onBatch ?? (() => {})
  const revokeBatch = (many: typeof REVOKE_MANY) =>
    createBatcher<Ending, Ended>({
      onBatch,
      nameOf: ({ keys }) => keys[0]!,
      async run(endings) {
        const each = endings.flatMap(({ keys, end }) =>
          keys.map((key) => ({ key, cause: end.cause, ...detailValues(end) })),
        )
        const values = {
          keys: each.map(({ key }) => key),
          causes: each.map(({ cause }) => cause),
          actors: each.map(({ actor }) => actor),
          datas: each.map(({ data }) => data),
          nid,
          now: now(),
          shared,
        }
        const rows = new Map((await db.query<Ended>(many, values)).map((row) => [row.key, row]))
        return endings.map(({ keys }) => rows.get(keys.find((key) => rows.get(key)?.id) ?? keys[0]!)!)
      },
    })
  const byToken = createBatcher<Forms, SessionRow | null>({
    onBatch,
    async run(wanted) {
      const rules = configured.sql()
      const statement = rules === null ? BY_TOKENS : BY_TOKENS_BY_RULES
      const rows = await db.query<SessionRow>(statement, { tokens: wanted.flat(), nid, rules })
      const sessions = new Map(rows.map((row) => [row.token, row]))
      return wanted.map((forms) => sessions.get(forms.find((form) => sessions.has(form)) ?? '') ?? null)
    },
  })
  const endById = revokeBatch(REVOKE_MANY)
  const endByToken = revokeBatch(REVOKE_MANY_BY_TOKEN)

  /** The row was active and has not ended, so another transaction holds it: it is waited for alone, with a limit. */
  async function retryLocked(end: End, outcome: Ended): Promise<boolean> {
    const values = { id: outcome.id, cause: end.cause, ...detailValues(end), nid, now: now(), shared }
    const ended = outcome.ended || (outcome.was_active && (await lockWaits.query(REVOKE_ONE, values)).length > 0)
    if (ended) options.onEnded?.(end.cause, 1)
    return ended
  }

  return {
    async byToken(stored: Forms): Promise<SessionRow | undefined> {
      return (await byToken(stored)) ?? undefined
    },
    /** @returns whether this call ended it */
    async revoke(id: string, end: End): Promise<boolean> {
      return retryLocked(end, await endById({ keys: [id], end }))
    },
    /** @returns whether the token is known, ended before or not */
    async revokeByToken(stored: Forms, end: End): Promise<boolean> {
      const outcome = await endByToken({ keys: stored, end })
      await retryLocked(end, outcome)
      return outcome.id !== null
    },
  }
}
