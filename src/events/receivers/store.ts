import type { Timestamp } from '../../kernel/base/clock.ts'
import { createBatcher } from '../../kernel/db/batch.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import { EVENT_COLUMNS } from '../log/sql.ts'
import type { EventRow } from '../types.ts'
import type { ReceiverSettings } from './receiver.ts'

const DUE = sql(
  'events.due_webhooks',
  `select w.id from lethe.webhooks w where exists (
    select from lethe.deliveries d where d.webhook_id = w.id and d.state = 'pending' and d.due_at <= $1)`,
)

/**
 * Claims due deliveries for a try. One whose session has an earlier pending delivery waits, so that the events of each
 * session arrive in order. Until `$4` the row is this node's; then it is due again, for any node.
 */
const CLAIM = sql(
  'events.claim_deliveries',
  `with receiver as (
    select w.id, w.settings from lethe.webhooks w
    where w.id = $1 and coalesce((w.settings ->> 'enabled')::boolean, true)
  ), due as (
    select d.webhook_id, d.seq from lethe.deliveries d
    where d.webhook_id = (select id from receiver) and d.state = 'pending' and d.due_at <= $2 and not exists (
      select from lethe.deliveries b
      where b.webhook_id = d.webhook_id and b.session_id = d.session_id and b.state = 'pending' and b.seq < d.seq
    )
    order by d.due_at, d.seq limit $3 for update of d skip locked
  ), claimed as (
    update lethe.deliveries d set due_at = $4, claim = $5, attempts = d.attempts + 1, last_attempt_at = $2
    from due where d.webhook_id = due.webhook_id and d.seq = due.seq
    returning d.seq, d.attempts, d.created_at
  )
  select c.attempts, c.created_at as queued_at, (select settings from receiver) as settings, ${EVENT_COLUMNS}
  from claimed c join lethe.events e on e.seq = c.seq order by e.seq`,
)

/** Later events of the same session wait with one that is tried again, so that claims need not look at them until then. */
const FINISH = sql(
  'events.finish_deliveries',
  `with outcome as (
    select o.webhook_id, o.seq, o.claim, o.state, o.due_at, o.status, o.error
    from unnest(:webhooks::text[], :seqs::bigint[], :claims::uuid[],
      :states::text[], :due::timestamp[], :status::int[], :errors::text[])
      as o (webhook_id, seq, claim, state, due_at, status, error)
  ), finished as (
    update lethe.deliveries d set state = o.state, due_at = o.due_at, claim = null, last_status = o.status,
      last_error = o.error, finished_at = case when o.state = 'pending' then null else :now::timestamp end
    from outcome o where d.webhook_id = o.webhook_id and d.seq = o.seq and d.claim = o.claim
    returning d.webhook_id, d.seq, d.session_id, d.state, d.due_at
  ), waiting as (
    update lethe.deliveries d set due_at = f.due_at from finished f
    where f.state = 'pending' and d.webhook_id = f.webhook_id and d.session_id = f.session_id
      and d.state = 'pending' and d.seq > f.seq and d.due_at < f.due_at
  )
  select f.webhook_id, f.seq from finished f`,
)

/** A claimed delivery with its event. */
export interface ClaimedRow extends EventRow {
  /** this one included */
  attempts: number
  queued_at: Timestamp
  /** of the receiver, as they are now; null: see the configuration */
  settings: ReceiverSettings | null
}

export interface Outcome {
  webhookId: string
  seq: number
  claim: string
  state: 'pending' | 'delivered' | 'dead'
  /** the next try */
  dueAt: Timestamp
  status: number | null
  error: string | null
}

export interface Claim {
  webhookId: string
  now: Timestamp
  limit: number
  /** when the claim expires and the tries count as lost */
  until: Timestamp
  id: string
}

export type DeliveryStore = ReturnType<typeof createDeliveryStore>

export function createDeliveryStore(db: Db, now: () => Timestamp) {
  const finish = createBatcher<Outcome, boolean>({
    maxInFlight: 1,
    async run(outcomes) {
      const column = <K extends keyof Outcome>(name: K) => outcomes.map((outcome) => outcome[name])
      const rows = await db.query<{ webhook_id: string; seq: number }>(FINISH, {
        webhooks: column('webhookId'),
        seqs: column('seq'),
        claims: column('claim'),
        states: column('state'),
        due: column('dueAt'),
        status: column('status'),
        errors: column('error'),
        now: now(),
      })
      const known = new Set(rows.map((row) => `${row.webhook_id} ${row.seq}`))
      return outcomes.map(({ webhookId, seq }) => known.has(`${webhookId} ${seq}`))
    },
  })

  return {
    /** Ids of receivers with due deliveries. */
    async due(at: Timestamp): Promise<string[]> {
      return (await db.query<{ id: string }>(DUE, [at])).map(({ id }) => id)
    },
    /** In the order of the log. */
    claim: ({ webhookId, now: at, limit, until, id }: Claim): Promise<ClaimedRow[]> =>
      db.query(CLAIM, [webhookId, at, limit, until, id]),
    /** Writes the result of a try. @returns false when another node had claimed the row meanwhile, and nothing was written */
    finish,
  }
}
