import type { FoundFunction, WatchNote, WatchRights } from './store.ts'
import type { WatchObject } from './triggers.ts'

export interface WatchState {
  /** `polling`: by comparison; `broken`: it was switched on, and is missing or incomplete */
  state: 'off' | 'on' | 'polling' | 'broken'
  since: string | undefined
  /** what is missing, each with its consequence */
  problems: string[]
}

/** Whether everything is installed as this release would install it. */
export function watchState(given: {
  objects: readonly WatchObject[]
  note: WatchNote | undefined
  found: readonly FoundFunction[]
  /** whether the list of the comparison exists */
  list: boolean
}): WatchState {
  const { objects, note, found, list } = given
  if (note === undefined && found.length === 0) return { state: 'off', since: undefined, problems: [] }
  if (note?.kind === 'poll') {
    const problems = list ? [] : ['the table lethe.watched is gone']
    return { state: list ? 'polling' : 'broken', since: note.since, problems }
  }
  const problems = objects.flatMap(({ name, body, trigger }) => {
    const there = found.filter((one) => one.name === name)
    const called = there.find((one) => one.trigger === trigger.name)
    if (called === undefined) return [`the trigger ${trigger.name} on ${trigger.table} is gone`]
    if (called.enabled !== 'O' && called.enabled !== 'A') return [`the trigger ${trigger.name} is switched off`]
    return called.body === body ? [] : [`the function lethe.${name} is of another release`]
  })
  return { state: problems.length > 0 ? 'broken' : 'on', since: note?.since, problems }
}

/** What to grant before it can be switched on; empty when nothing is missing. */
export function missingGrants({ role, may_create, without_trigger }: WatchRights, home: string): string[] {
  const to = `to "${role.replaceAll('"', '""')}"`
  return [
    ...(may_create ? [] : [`grant create on schema lethe ${to};`]),
    ...(without_trigger ?? []).map((table) => `grant trigger on ${home}.${table} ${to};`),
  ]
}
