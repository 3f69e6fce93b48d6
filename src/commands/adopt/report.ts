import type { Facts, Finding } from '../../adopt/findings.ts'
import { VERSION } from '../../kernel/base/version.ts'
import type { MigrationStatus } from '../../kernel/db/migrations/migrate.ts'
import type { Output } from '../kit/output.ts'

interface Report {
  facts: Facts
  findings: readonly Finding[]
  verdict: { side_by_side: boolean; full_swap: boolean }
  status: MigrationStatus
  nid: string | undefined
}

const HEADINGS = { stop: 'STOP', loss: 'LOST', note: 'NOTE' } as const

/** For people a table that ends with the verdict, for programs everything. Holds no secret, token or hash. */
export function adoptionReport({ facts, findings, verdict, status, nid }: Report): Output {
  const { adoption, census, config, samples } = facts
  const version = adoption.newer === undefined && adoption.newest !== undefined ? VERSION : undefined
  const shown = census && {
    ...withoutHashes(census),
    hashes: census.hashes.map(({ family, identities }) => ({ family, identities })),
  }
  const value = {
    verdict: { side_by_side: word(verdict.side_by_side), full_swap: word(verdict.full_swap) },
    kratos: { version: version ?? null, last_migration: adoption.newest ?? null },
    schema_lethe: status.pending === 0 ? 'there' : 'to be created',
    network_id: nid ?? null,
    counts: shown ?? null,
    config: config ? { problems: config.problems, unsupported_keys: config.unsupported } : null,
    cookies: samples,
    findings,
  }
  const rows = [
    ['Kratos', version ?? 'another version', `last migration ${adoption.newest ?? 'unknown'}`],
    ['Schema lethe', value.schema_lethe, ''],
    ['Network', nid ?? 'none', facts.networks > 1 ? `the oldest of ${facts.networks}` : ''],
    ...(census
      ? [
          ['Identities', String(census.identities), `${census.disabled_identities} disabled`],
          ['Sessions', String(census.active_sessions), `active, of ${census.sessions}`],
          [
            'Passwords',
            String(census.credentials.password ?? 0),
            census.hashes.map(({ family, identities }) => `${identities} ${family}`).join(', '),
          ],
        ]
      : []),
    ...samples.map(({ outcome, secret, session }, index) => [
      `Cookie ${index + 1}`,
      outcome === 'read' ? `read with secret ${secret}` : outcome === 'tooOld' ? 'too old' : 'unreadable',
      session === undefined ? '' : `session ${session}`,
    ]),
  ]
  return {
    value,
    table: [
      ...rows,
      [],
      ...findings.map(({ level, text }) => [HEADINGS[level], text]),
      ...(findings.length > 0 ? [[]] : []),
      ['Beside Kratos', verdict.side_by_side ? 'ready' : 'NOT READY: see STOP'],
      ['Instead of it', swapWord(verdict)],
    ],
    ids: [word(verdict.side_by_side), word(verdict.full_swap)],
  }
}

function swapWord({ side_by_side, full_swap }: Report['verdict']): string {
  if (full_swap) return 'ready'
  return side_by_side ? 'ready, if you can do without what is LOST' : 'NOT READY: see STOP'
}

const word = (ready: boolean) => (ready ? 'ready' : 'not_ready')

function withoutHashes({ hashes: _hashes, ...rest }: NonNullable<Facts['census']>) {
  return rest
}
