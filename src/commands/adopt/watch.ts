import { readNetworks } from '../../adopt/store.ts'
import { missingGrants, type WatchState, watchState } from '../../adopt/watch/state.ts'
import { install, installPolling, readRights, readWatch, remove, removeList } from '../../adopt/watch/store.ts'
import { compare, PAGE } from '../../adopt/watch/store-poll.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import { type Db, StoreUnavailable } from '../../kernel/db/client.ts'
import type { Cmd } from '../kit/command.ts'
import { confirm } from '../kit/confirm.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'
import { formatTable } from '../kit/table.ts'

interface Options extends FormatOptions {
  config?: string[]
  yes?: boolean
  poll?: boolean
}

export async function watchOn(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  await onAdopted(io, command, dsn, async (db, options) => {
    const seen = await readWatch(db)
    const { state } = watchState(seen)
    if (state === (options.poll ? 'polling' : 'on')) return print(io.stdout, 'The watch is on already, nothing to do')
    if (options.poll) return pollOn(io, db, state, options)
    const grants = missingGrants(await readRights(db), seen.home)
    if (grants.length > 0) throw new Failure(`${LACKS_RIGHTS}\n\n${grants.join('\n')}\n\n${OR_POLL}`)
    const rows = seen.objects.map(({ name, purpose, trigger }) => [
      trigger.name,
      `${seen.home}.${trigger.table}`,
      `lethe.${name}()`,
      purpose,
    ])
    print(io.stdout, `Created are, in one transaction:\n${formatTable([['Trigger', 'On', 'Function', ''], ...rows])}`)
    if (options.yes !== true) await confirm(io, 'Do you wish to create them?')
    await retryLocked(io, () => install(db, seen.objects, formatTime(io.clock.now())))
    if (seen.list) await endPolling(io, db)
    print(io.stdout, 'The watch is on: sessions that others begin and end in this database are events from now on.')
  })
}

const LACKS_RIGHTS = 'Error: the user of the database lacks rights; as the owner of the tables:'
const OR_POLL =
  'Without them "adopt watch on --poll" compares the tables every few seconds; docs/beside-kratos.md says what that misses.'

async function pollOn(io: Io, db: Db, state: WatchState['state'], { yes }: Options): Promise<void> {
  if (state === 'on')
    throw new Failure('Error: the watch is on by triggers, which miss nothing; "adopt watch off" first')
  print(
    io.stdout,
    'Created is the table lethe.watched, with a row for each session that is alive. The nodes compare it with the tables of Kratos.',
  )
  if (yes !== true) await confirm(io, 'Do you wish to create it?')
  await retryLocked(io, () => installPolling(db, formatTime(io.clock.now())))
  print(io.stdout, 'The watch is on, by comparison: a node must run.')
}

/** One more comparison records what ended since the last one; an end that the triggers have recorded too counts once. */
async function endPolling(io: Io, db: Db): Promise<void> {
  for (const nid of await readNetworks(db)) await compare(db, nid, formatTime(io.clock.now()), PAGE)
  await removeList(db)
}

export async function watchOff(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  await onAdopted(io, command, dsn, async (db, { yes }) => {
    const seen = await readWatch(db)
    if (watchState(seen).state === 'off') return print(io.stdout, 'The watch is off already, nothing to do')
    const names = [...new Set(seen.found.map(({ name }) => name))].sort()
    const rows = [
      ...names.map((name) => [`lethe.${name}()`, 'and the trigger that calls it']),
      ...(seen.list ? [['lethe.watched', 'the list of sessions that are alive']] : []),
    ]
    print(io.stdout, `Dropped are, in one transaction:\n${formatTable(rows)}`)
    if (yes !== true) await confirm(io, 'Do you wish to drop them?')
    await retryLocked(io, () => remove(db, names))
    print(io.stdout, 'The watch is off. What it has told stays in the log.')
  })
}

/** @throws Failure when it was switched on and is damaged */
export async function watchStatus(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  await onAdopted(io, command, dsn, async (db, options) => {
    const found = watchState(await readWatch(db))
    writeFormatted(io, options, { value: asValue(found), table: asTable(found), ids: [found.state] })
    if (found.state === 'broken') throw new Failure('')
  })
}

const asValue = ({ state, since, problems }: WatchState) => ({ state, since: since ?? null, problems })

const asTable = ({ state, since, problems }: WatchState) => [
  ['Watch', state],
  ...(since === undefined ? [] : [['Since', since]]),
  ...problems.map((problem) => ['Problem', `${problem}; "adopt watch on" sets it right`]),
]

async function onAdopted(
  io: Io,
  command: Cmd,
  dsn: string | undefined,
  work: (db: Db, options: Options) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  await withDatabase(io, databaseOf(io, { files: options.config ?? [], dsn }), async (db) => {
    const { kind, pending, problem } = await statusOnceReachable(io, db)
    if (problem !== undefined) throw new Failure(`Error: ${problem}`)
    if (kind !== 'adopted') throw new Failure(`Error: this is no database of Kratos: it is ${kind}`)
    if (pending > 0) throw new Failure('Error: the schema lethe is not up to date; run "migrate sql up" first')
    await work(db, options)
  })
}

const TRIES = 15
const PAUSE_MS = 2000

/** Pauses between tries let others write to the tables: a lock request that waits holds up all that come after it. */
async function retryLocked(io: Io, work: () => Promise<void>): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || !error.message.includes('55P03')) throw error
      if (left === 1) {
        throw new Failure(
          'Error: a transaction that stays open holds a lock on the tables; end it (see pg_stat_activity), and try again. Nothing was changed.',
        )
      }
      print(io.stderr, 'a transaction holds a lock on the tables; trying again')
      await io.sleep(PAUSE_MS)
    }
  }
}
