import { type Clock, formatTime } from '../kernel/base/clock.ts'
import type { Queryable } from '../kernel/db/client.ts'
import type { ErasureStore, PendingErasure, Words } from './store-erasure.ts'

export interface ErasureDeps {
  clock: Clock
  store: ErasureStore
}

/**
 * Removes one person from every table. Rows that name the identity are deleted in its transaction; input of forms from before
 * the identity was known is searched by the collector.
 */
export interface Erasure {
  /** @param names identifiers and addresses by which the person is found, as they are stored */
  begin(identityId: string, names: readonly string[], tx?: Queryable): Promise<void>
  /** For an identity that was deleted before. @returns whether anything is left of it */
  ofDeleted(identityId: string): Promise<boolean>
  /** Continues all that were begun. @param limit rows of one statement @returns how many are complete */
  finish(limit: number): Promise<number>
}

/** Rows that are deleted in the identity's transaction; the collector deletes the rest. */
const AT_ONCE = 10_000
/** People of one round, who share one reading of the tables. */
const TOGETHER = 100
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

export function createErasure({ clock, store }: ErasureDeps): Erasure {
  const now = () => formatTime(clock.now())

  async function begin(identityId: string, names: readonly string[], tx?: Queryable): Promise<void> {
    const all = [...new Set(names.flatMap((name) => [name, name.toLowerCase()]))]
    await store.request(identityId, all, now(), tx)
    await store.forgetDevices(identityId, 0, AT_ONCE, tx)
    if (all.length > 0) await store.deleteMessages(all, now(), AT_ONCE, tx)
  }

  async function finishAll(pending: readonly PendingErasure[], limit: number): Promise<void> {
    for (const { identity_id, names, requested_at } of pending) {
      for (let after: number | undefined = 0; after !== undefined; ) {
        after = await store.forgetDevices(identity_id, after, limit)
      }
      while (names.length > 0 && (await store.deleteMessages(names, requested_at, limit)) === limit);
    }
    const words = wordsOf(pending)
    for (const table of words.names.length > 0 ? store.tables : []) {
      for (let after: string | undefined = FIRST_ID; after !== undefined; ) {
        after = await store.deleteTyped(table, words, after, limit)
      }
    }
  }

  return {
    begin,
    async ofDeleted(identityId) {
      if (!(await store.isKnown(identityId))) return false
      await begin(identityId, [])
      return true
    },
    async finish(limit) {
      for (let total = 0; ; ) {
        const pending = await store.pending(TOGETHER)
        if (pending.length === 0) return total
        await finishAll(pending, limit)
        const last = pending.at(-1)!.requested_at
        await store.finish(
          pending.map(({ identity_id }) => identity_id),
          last,
        )
        total += pending.length
      }
    },
  }
}

/** In the spellings of JSON and of URLs. A name without `@` that is no number may be any word. */
function wordsOf(pending: readonly PendingErasure[]): Words {
  const given = pending.flatMap(({ names, requested_at }) =>
    [...new Set(names.map((name) => name.toLowerCase()))].map((name) => ({ name, until: requested_at })),
  )
  const distinct = given.filter(({ name }) => name.includes('@') || /^\+\d{6,}$/.test(name))
  const texts = distinct.flatMap(({ name, until }) =>
    [...new Set([JSON.stringify(name).slice(1, -1), encodeURIComponent(name).toLowerCase()])].map((word) => ({
      word,
      until,
    })),
  )
  return {
    words: texts.map(({ word }) => word),
    patterns: texts.map(({ word }) => `(?<![a-z0-9._+-])${literally(word)}(?![a-z0-9-]|\\.[a-z0-9])`),
    untils: texts.map(({ until }) => until),
    names: given.map(({ name }) => name),
    name_untils: given.map(({ until }) => until),
  }
}

/** For a regular expression of Postgres, where a backslash before what is no letter or digit takes away any meaning. */
const literally = (word: string) => word.replace(/[!-/:-@[-`{-~]/g, (sign) => `\\${sign}`)
