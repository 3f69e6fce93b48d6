import type { TokenMode } from '../src/kernel/crypto/tokens.ts'
import { recordEnds } from '../src/sessions/lifecycle.ts'
import { SELECT_SESSION_WITHOUT_RULES } from '../src/sessions/sql.ts'
import { groupsOf, type Half, STRIDE } from './rows.ts'
import { idSql, storedSql } from './seed.ts'
import type { Plan } from './workloads.ts'

export interface Tables {
  nid: string
  tokens: TokenMode
  /** whether an end leaves a tombstone for another program that writes the same table */
  shared: boolean
}

/** What the server sends, for one row whose number is the expression `i`: the measure of what the database needs. */
export function bareStatements({ nid, tokens, shared }: Tables, i: string) {
  const network = `'${nid}'::uuid`
  const token = storedSql(i, tokens)
  const end = (which: string) => `with ended as (
    update sessions set active = false where ${which} and nid = ${network} and active returning id, identity_id
  ), ${recordEnds({ cause: "'logout'", now: 'localtimestamp', nid: network, shared: String(shared) })}
  select id from ended`
  return {
    select: `${SELECT_SESSION_WITHOUT_RULES} where s.token = ${token} and s.nid = ${network}`,
    endById: end(`id = ${idSql(i)}`),
    endByToken: end(`token = ${token}`),
  }
}

/** What has no counterpart of single rows. */
export const hasBare = (plan: Plan) => plan !== 'noop' && plan !== 'login'

/**
 * The same work as a script for pgbench, one row a statement. Each client ends sessions of a part of its own, so that
 * no statement is the cheap one that finds its session ended already.
 */
export function pgbenchScript(plan: Plan, tables: Tables, half: Half, clients: number): string {
  const { select, endById, endByToken } = bareStatements(tables, ':i::int')
  const groups = groupsOf(half)
  const part = Math.floor((groups * 3) / clients)
  const read = `\\set i ${half.first} + 4 * random(0, ${groups - 1})\n`
  const end = `\\set place ((:client_id * ${part} + :n) * ${STRIDE}) % ${groups * 3}
\\set i ${half.first} + 4 * (:place / 3) + 1 + :place % 3
\\set n :n + 1\n`
  switch (plan) {
    case 'native-logout':
      return `${end}${endByToken};\n`
    case 'browser-logout':
      return `${end}${select};\n${select};\n${endById};\n`
    case 'mix':
      return `\\set k random(1, 50)\n\\if :k = 1\n${end}${endByToken};\n\\else\n${read}${select};\n\\endif\n`
    default:
      return `${read}${select};\n`
  }
}
