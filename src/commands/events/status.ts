import type { EventStatus, OldestTransaction } from '../../events/receivers/status.ts'
import { createClient, endpointOf } from '../kit/client.ts'
import type { Io } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'

/** A line for the log, then one for each receiver. @throws Failure when the server refuses or is away */
export async function showEventStatus(io: Io, options: FormatOptions & { endpoint?: string }): Promise<void> {
  const client = createClient(io, endpointOf(io, options.endpoint))
  const { body } = await client.call('GET', '/admin/events/status')
  const status = body as EventStatus
  const { epoch, position, behind_events, behind_seconds, oldest_transaction, receivers } = status
  const holder = oldest_transaction === null ? '' : told(oldest_transaction)
  const table = [
    ['NAME', 'PLACE', 'EVENTS BEHIND', 'SECONDS BEHIND', 'GIVEN UP', 'HELD BACK BY'],
    ['(log)', `${epoch}.${position}`, String(behind_events), rounded(behind_seconds), '', holder],
    ...receivers.map((r) => [r.id, '', String(r.lag_events), rounded(r.lag_seconds), String(r.dead), '']),
  ]
  writeFormatted(io, options, { value: status, table, ids: receivers.map(({ id }) => id) })
}

function told({ pid, application, age_seconds }: OldestTransaction): string {
  // an application chooses its own name, which may hold control characters
  const name = JSON.stringify(application ?? '')
  return `pid ${pid ?? 'unknown'}, ${name}, open for ${age_seconds === null ? 'an unknown time' : `${rounded(age_seconds)} s`}`
}

const rounded = (seconds: number) => seconds.toFixed(1)
