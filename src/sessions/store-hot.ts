import type { Timestamp } from '../kernel/base/clock.ts'
import { createBatcher } from '../kernel/db/batch.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import { recordEnds, SELECT_SESSION } from './sql.ts'
import type { EndCause, OnEnded, SessionRow } from './types.ts'

/** Most requests need one of these three, so calls that wait for the database share a statement. */

const BY_TOKENS = sql('session.by_token', `${SELECT_SESSION} where s.token = any ($1) and s.nid = $2`)

/**
 * Ends many sessions by id. Rows are locked in one order, and a row that somebody else holds is left out rather than
 * waited for: it would hold up its batch mates. Such a one is told apart by `was_active` and goes alone.
 */
const REVOKE_MANY = sql(
  'session.revoke_many',
  `with input as (
    select id, cause from unnest($1::uuid[], $2::text[]) as input (id, cause)
  ), target as (
    select s.id, input.cause from input join sessions s on s.id = input.id
    where s.nid = $3 and s.active order by s.id for update of s skip locked
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id
    returning sessions.id, sessions.identity_id, target.cause
  ), ${recordEnds('ended.cause', '$4', '$3', '$5::boolean')}
  select input.id as key, s.id is not null as known, coalesce(s.active, false) as was_active, ended.id is not null as ended
  from input left join sessions s on s.id = input.id and s.nid = $3 left join ended on ended.id = input.id`,
)

const REVOKE_MANY_BY_TOKEN = sql(
  'session.revoke_many_by_token',
  `with input as (
    select token, cause from unnest($1::text[], $2::text[]) as input (token, cause)
  ), target as (
    select s.id, input.cause from input join sessions s on s.token = input.token
    where s.nid = $3 and s.active order by s.id for update of s skip locked
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id
    returning sessions.id, sessions.identity_id, target.cause
  ), ${recordEnds('ended.cause', '$4', '$3', '$5::boolean')}
  select input.token as key, s.id is not null as known, coalesce(s.active, false) as was_active, ended.id is not null as ended
  from input left join sessions s on s.token = input.token and s.nid = $3 left join ended on ended.id = s.id`,
)

const REVOKE_ONE = sql(
  'session.revoke_one',
  `with ended as (
    update sessions set active = false where id = $1 and nid = $3 and active returning id, identity_id
  ), ${recordEnds('$2', '$4', '$3', '$5::boolean')}
  select id from ended`,
)

const REVOKE_ONE_BY_TOKEN = sql(
  'session.revoke_one_by_token',
  `with ended as (
    update sessions set active = false where token = $1 and nid = $3 and active returning id, identity_id
  ), ${recordEnds('$2', '$4', '$3', '$5::boolean')}
  select id from ended`,
)

export interface HotStoreOptions {
  /** whether another program writes the same tables, so that ends need a tombstone */
  shared: boolean
  now(): Timestamp
  onBatch?: (size: number) => void
  onEnded?: OnEnded
  /** for what waits until somebody else lets go of a row; see db/lane.ts @default the database itself */
  lockWaits?: Queryable
}

/** The values that the column of one session may hold; only one of them does. */
type Forms = readonly string[]

interface Ending {
  keys: Forms
  cause: EndCause
}

interface Ended {
  key: string
  known: boolean
  was_active: boolean
  ended: boolean
}

export type SessionHotStore = ReturnType<typeof createSessionHotStore>

export function createSessionHotStore(db: Db, nid: string, options: HotStoreOptions) {
  const { shared, now, lockWaits = db } = options
  const onBatch = options.onBatch ?? (() => {})
  const revokeBatch = (many: typeof REVOKE_MANY) =>
    createBatcher<Ending, Ended>({
      onBatch,
      nameOf: ({ keys }) => keys[0]!,
      async run(endings) {
        const each = endings.flatMap(({ keys, cause }) => keys.map((key) => ({ key, cause })))
        const values = [each.map(({ key }) => key), each.map(({ cause }) => cause), nid, now(), shared]
        const rows = new Map((await db.query<Ended>(many, values)).map((row) => [row.key, row]))
        return endings.map(({ keys }) => rows.get(keys.find((key) => rows.get(key)?.known) ?? keys[0]!)!)
      },
    })
  const byToken = createBatcher<Forms, SessionRow | null>({
    onBatch,
    async run(wanted) {
      const rows = await db.query<SessionRow>(BY_TOKENS, [wanted.flat(), nid])
      const sessions = new Map(rows.map((row) => [row.token, row]))
      return wanted.map((forms) => sessions.get(forms.find((form) => sessions.has(form)) ?? '') ?? null)
    },
  })
  const endById = revokeBatch(REVOKE_MANY)
  const endByToken = revokeBatch(REVOKE_MANY_BY_TOKEN)

  /** A row that was active and is not ended is held by somebody else: waited for alone, with a limit. */
  async function settle(one: typeof REVOKE_ONE, cause: EndCause, outcome: Ended): Promise<boolean> {
    const values = [outcome.key, cause, nid, now(), shared]
    const ended = outcome.ended || (outcome.was_active && (await lockWaits.query(one, values)).length > 0)
    if (ended) options.onEnded?.(cause, 1)
    return ended
  }

  return {
    async byToken(stored: Forms): Promise<SessionRow | undefined> {
      return (await byToken(stored)) ?? undefined
    },
    /** @returns whether this call ended it */
    async revoke(id: string, cause: EndCause): Promise<boolean> {
      return settle(REVOKE_ONE, cause, await endById({ keys: [id], cause }))
    },
    /** @returns whether the token is known, ended before or not */
    async revokeByToken(stored: Forms, cause: EndCause): Promise<boolean> {
      const outcome = await endByToken({ keys: stored, cause })
      await settle(REVOKE_ONE_BY_TOKEN, cause, outcome)
      return outcome.known
    },
  }
}
