import type { Config } from '../config/schema/schema.ts'
import { type Micros, parseTime, SECOND, type Timestamp } from '../kernel/base/clock.ts'
import type { Session } from './types.ts'

/** The rules for the sessions of identities of one schema. Absent: no limit. */
export interface Rule {
  idle?: Micros
  absolute?: Micros
  /** concurrent sessions of an identity */
  max?: number
  whenFull: 'end_oldest' | 'refuse'
  /** how old the latest proof of a level may be */
  fresh: { aal1?: Micros; aal2?: Micros }
}

export interface SessionRules {
  of(schemaId: string): Rule
  /** For statements: JSON by schema, '' for all others, of the limits that only depend on time; null when there are none. */
  sql(): string | null
  /** The shortest of all schemas: no rule has ended a session younger than both. */
  shortest(): { idle: Micros | undefined; absolute: Micros | undefined }
}

/** What a store needs of them. */
export type RulesSql = Pick<SessionRules, 'sql'>
export const NO_RULES: RulesSql = { sql: () => null }

/** Longest time between two notes of the use of a session. */
const NOTED_EVERY: Micros = 60 * SECOND
const FLUSHED_EVERY: Micros = 5 * SECOND

/** How often the use of a session is noted, and how long a note waits for its batch. */
export function noting({ idle }: { idle?: Micros | undefined }): { every: Micros; flush: Micros } {
  if (idle === undefined) return { every: NOTED_EVERY, flush: FLUSHED_EVERY }
  const every = Math.min(NOTED_EVERY, Math.trunc(idle / 60))
  return { every, flush: Math.min(FLUSHED_EVERY, every) }
}

/**
 * How long after the last noted use a session ends: a use that was not noted, or is on its way to the database,
 * must not count less than a noted one.
 */
export const idleAfterNote = (idle: Micros): Micros => {
  const { every, flush } = noting({ idle })
  return idle + every + flush
}

/** The ends of a session that begins, or is refreshed, now. @see nextEnd and lastEnd in lifecycle.ts, which read them */
export function endsOf(
  rule: Rule,
  { now, issuedAt, lifespanMs }: { now: Micros; issuedAt: Micros; lifespanMs: number },
) {
  const last = Math.min(now + Math.trunc(lifespanMs * 1000), issuedAt + (rule.absolute ?? Number.POSITIVE_INFINITY))
  return { last, next: Math.min(last, now + (rule.idle === undefined ? last : idleAfterNote(rule.idle))) }
}

/** When a session ends however much it is used, which is the expiry of its cookie. */
export const lastEndOf = ({ lasts_until, expires_at }: Pick<Session, 'lasts_until' | 'expires_at'>): Timestamp =>
  lasts_until ?? expires_at

/** The rule that gives a session its stated end; undefined: its lifespan. */
export function ruleThatEnds(session: Session, { absolute }: Rule): 'idle' | 'absolute' | undefined {
  const last = lastEndOf(session)
  if (session.expires_at !== last) return 'idle'
  return absolute !== undefined && parseTime(session.issued_at) + absolute <= parseTime(last) ? 'absolute' : undefined
}

export function createSessionRules(config: () => Config): SessionRules {
  let known: { from: Config; rules: ReturnType<typeof read> } | undefined
  const current = () => {
    const from = config()
    if (known?.from !== from) known = { from, rules: read(from) }
    return known.rules
  }
  return {
    of: (schemaId) => current().bySchema.get(schemaId) ?? current().general,
    sql: () => current().sql,
    shortest: () => current().shortest,
  }
}

type Settings = Omit<Config['lethe']['sessions'], 'schemas'>

function read({ lethe }: Config) {
  const { schemas, ...settings } = lethe.sessions
  const general = ruleOf(settings)
  const bySchema = new Map(
    Object.entries(schemas).map(([id, own]) => {
      const require_fresh = { ...settings.require_fresh, ...own.require_fresh }
      return [id, ruleOf({ ...settings, ...own, require_fresh })] as const
    }),
  )
  const all = [general, ...bySchema.values()]
  const timed = all.some(({ idle, absolute }) => idle !== undefined || absolute !== undefined)
  const entries = [['', general] as const, ...bySchema]
  return {
    general,
    bySchema,
    sql: timed ? JSON.stringify(Object.fromEntries(entries.map(([id, rule]) => [id, limitsOf(rule)]))) : null,
    shortest: { idle: least(all.map(({ idle }) => idle)), absolute: least(all.map(({ absolute }) => absolute)) },
  }
}

function ruleOf(s: Settings): Rule {
  const { aal1, aal2 } = s.require_fresh
  return {
    ...given('idle', s.idle_timeout),
    ...given('absolute', s.absolute_timeout),
    ...(s.max_per_identity ? { max: s.max_per_identity } : {}),
    whenFull: s.when_full ?? 'end_oldest',
    fresh: { ...given('aal1', aal1), ...given('aal2', aal2) },
  }
}

/** @param ms zero and undefined: no limit */
const given = <K extends string>(name: K, ms: number | undefined) =>
  (ms ? { [name]: Math.trunc(ms * 1000) } : {}) as { [name in K]?: Micros }

/** Intervals for the database. */
const limitsOf = ({ idle, absolute }: Rule) => ({
  ...(idle === undefined ? {} : { idle: `${idleAfterNote(idle)} microseconds` }),
  ...(absolute === undefined ? {} : { absolute: `${absolute} microseconds` }),
})

function least(values: (Micros | undefined)[]): Micros | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
