import type { Sql } from '../client.ts'
import { serverError } from '../errors.ts'

const WRITES = /\b(insert\s+into|update|delete\s+from|merge\s+into|for\s+(no\s+key\s+)?update|for\s+(key\s+)?share)\b/i

const known = new WeakMap<Sql, boolean>()

/** Whether a statement commits something, and whether a standby refuses it: also one that only locks rows. */
export function writes(statement: Sql): boolean {
  let answer = known.get(statement)
  if (answer === undefined) {
    answer = WRITES.test(statement.text)
    known.set(statement, answer)
  }
  return answer
}

/**
 * Fails on a standby, by a division by zero: no built-in function that fails there exists in and is allowed on every
 * managed Postgres.
 */
const ON_PRIMARY = '1 / (case when pg_is_in_recovery() then 0 else 1 end) = 1'

/** Checks it at the start of a transaction. */
export const CHECK_PRIMARY = `select ${ON_PRIMARY}`

/**
 * A read that answers on the primary alone, even with no row. A pooler may use another server for each statement, so that
 * the check at the opening of the connection proves nothing. The sub-select is evaluated once, before the first row; its cost
 * was not measurable, where a statement of its own is a round trip.
 */
export function onPrimary({ text }: Sql): string {
  return `select * from (${text}) answer where (select ${ON_PRIMARY})`
}

/** Whether a statement with one of the above failed because it ran on a standby. */
export function cameFromStandby(error: unknown): boolean {
  const report = serverError(error)
  return report?.code === '22012' && report.routine === 'int4div'
}
