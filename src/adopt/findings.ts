import { DESCRIPTORS, typesWhere } from '../credentials/descriptors.ts'
import { PASSWORD } from '../credentials/password.ts'
import type { Adoption } from '../kernel/db/adoption/adoption.ts'
import type { Census } from './store.ts'
import type { WatchState } from './watch/state.ts'

/** The configuration that will serve the database. */
export interface ConfigFacts {
  /** why it cannot be used, in the words of the log at start */
  problems: readonly string[]
  unsupported: readonly string[]
  hasSecrets: boolean
  schemaIds: readonly string[]
  passwordEnabled: boolean
  /** whether a session needs a second factor that its identity has */
}

export interface SampleFacts {
  outcome: 'read' | 'tooOld' | 'unreadable'
  /** which of the secrets has opened it, from 1 */
  secret?: number
  session?: 'live' | 'ended' | 'unknown'
}

export interface Facts {
  adoption: Adoption
  /** whether that version was accepted with `--newer-kratos` */
  newerAccepted: boolean
  creation: string | undefined
  census: Census | undefined
  networks: number
  /** undefined when none was named */
  config: ConfigFacts | undefined
  samples: readonly SampleFacts[]
  knowsHash(hash: string): boolean
  /** undefined where the schema lethe does not exist yet */
  watch: WatchState | undefined
}

/** `stop`: neither way works. `loss`: what a full swap would lose, and Kratos beside it would still do. */
export interface Finding {
  level: 'stop' | 'loss' | 'note'
  text: string
}

/** What an operator should know before the database is shared, worst first. */
export function findingsOf(facts: Facts): Finding[] {
  const { census, config } = facts
  const all = [
    ...tables(facts),
    ...(config ? settings(config) : [note('no configuration was checked: name the files of Kratos with -c')]),
    ...cookies(facts),
    ...watching(facts),
    ...(census ? [...people(census, facts), ...features(census, config)] : []),
  ]
  const order = ['stop', 'loss', 'note']
  return all.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
}

const stop = (text: string): Finding => ({ level: 'stop', text })
const loss = (text: string): Finding => ({ level: 'loss', text })
const note = (text: string): Finding => ({ level: 'note', text })

function tables({ adoption, newerAccepted, creation, networks, census }: Facts): Finding[] {
  const { problems, newer, unknown } = adoption
  return [
    ...problems.map(stop),
    ...(newer !== undefined && !newerAccepted
      ? [stop(`a newer Kratos migrated it (to ${newer}); accept that with "migrate sql up --newer-kratos"`)]
      : []),
    ...(unknown.length > 0 ? [note(`columns that are not known here and are left alone: ${unknown.join(', ')}`)] : []),
    ...(creation === undefined ? [] : [note(creation)]),
    ...(networks === 0 ? [note('no Kratos has ever started on it: there is no network yet, one will be made')] : []),
    ...(networks > 1
      ? [
          note(
            `there are ${networks} networks; as Kratos does, the oldest is used, and ` +
              `${census?.identities_of_other_networks ?? 0} identities of the others are not seen`,
          ),
        ]
      : []),
  ]
}

function settings(config: ConfigFacts): Finding[] {
  if (config.problems.length > 0) return config.problems.map((problem) => stop(`the configuration: ${problem}`))
  return [
    ...(config.hasSecrets
      ? []
      : [
          stop(
            'neither secrets.cookie nor secrets.default is set: no cookie of Kratos could be read; copy them from there',
          ),
        ]),
    ...(config.unsupported.length > 0
      ? [note(`configuration keys accepted and without effect: ${config.unsupported.join(', ')}`)]
      : []),
  ]
}

function cookies({ samples, config }: Facts): Finding[] {
  if (!config || config.problems.length > 0 || !config.hasSecrets) return []
  if (samples.length === 0)
    return [note('no cookie was tried: give one of a signed-in browser with --cookie to be sure of the secrets')]
  return samples.flatMap(({ outcome, session }, index) => {
    const name = `cookie ${index + 1}`
    if (outcome === 'unreadable') {
      const why = 'secrets.cookie or session.cookie.name differs from what Kratos runs with'
      return [stop(`${name} cannot be read: ${why}, and everybody would be signed out`)]
    }
    if (outcome === 'tooOld') return [note(`${name} is authentic but older than session.lifespan: try a fresh one`)]
    return session === 'live'
      ? []
      : [note(`${name} can be read, but its session is ${session}: try one of a browser that is signed in`)]
  })
}

function watching({ watch }: Facts): Finding[] {
  return (watch?.problems ?? []).map((problem) => note(`${problem}; "adopt watch on" sets it right`))
}

function people(census: Census, { config, knowsHash }: Facts): Finding[] {
  const strange = census.hashes.filter(({ sample }) => !knowsHash(sample))
  const homeless =
    config && config.problems.length === 0 ? census.schemas.filter(({ id }) => !config.schemaIds.includes(id)) : []
  return [
    ...strange.map(({ family, identities }) =>
      stop(`${identities} passwords are hashed in a way that is not known: ${family}`),
    ),
    ...homeless.map(({ id, identities }) =>
      stop(`${identities} identities have the schema "${id}", which identity.schemas lacks`),
    ),
    ...(census.unreadable_sessions > 0
      ? [note(`${census.unreadable_sessions} rows of sessions hold a NULL that Kratos cannot read; they are refused`)]
      : []),
  ]
}

function features(census: Census, config: ConfigFacts | undefined): Finding[] {
  const has = (...types: string[]) => types.reduce((sum, type) => sum + (census.credentials[type] ?? 0), 0)
  const some = (count: number | undefined, text: (count: number) => string) =>
    count === undefined || count === 0 ? [] : [loss(text(count))]
  return [
    ...waysNotOffered().flatMap(([way, types]) => some(has(...types), (count) => `${way} (${count} identities)`)),
    ...some(
      census.without_password,
      (count) => `${count} identities have no password and sign in by ways that are not offered`,
    ),
    ...some(census.migration_hook, (count) => `${count} passwords are still with the password migration hook`),
    ...some(census.identities_of_organizations, (count) => `organizations (${count} identities)`),
    ...(config && !config.passwordEnabled && has(PASSWORD) > 0
      ? [loss('sign-in by password, which is switched off')]
      : []),
  ]
}

/** Names of the ways to sign in that are missing here, each with its types. */
function waysNotOffered(): [way: string, types: string[]][] {
  const ways = new Set(DESCRIPTORS.flatMap(({ notOffered }) => notOffered ?? []))
  return [...ways].map((way) => [way, typesWhere(({ notOffered }) => notOffered === way)])
}

/** Which of the two ways is possible. */
export function verdictOf(findings: readonly Finding[]): { side_by_side: boolean; full_swap: boolean } {
  const has = (level: Finding['level']) => findings.some((finding) => finding.level === level)
  return { side_by_side: !has('stop'), full_swap: !has('stop') && !has('loss') }
}
