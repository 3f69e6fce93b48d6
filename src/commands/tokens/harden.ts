import { DURATION, durationToMs } from '../../config/schema/durations.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import type { Db } from '../../kernel/db/client.ts'
import { loadMeta } from '../../kernel/db/meta.ts'
import { createTokenHashing, KratosIsWriting } from '../../maintenance/hash-tokens.ts'
import { createHashTokensStore } from '../../maintenance/store-hash-tokens.ts'
import type { Cmd } from '../kit/command.ts'
import { confirm } from '../kit/confirm.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure, UsageError } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'

interface Options {
  config?: string[]
  yes?: boolean
  idle?: string
  force?: boolean
  batch?: string
  pause?: string
}

/** @throws Failure, UsageError, ConfigError, StoreUnavailable */
export async function hardenTokens(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  const wrong = (flag: string, value: string, want: string): never => {
    throw new UsageError(`--${flag}: ${JSON.stringify(value)} is not ${want}`, command.helpInformation())
  }
  const duration = (flag: 'idle' | 'pause', fallback: number): number => {
    const text = options[flag]
    if (text === undefined) return fallback
    return DURATION.test(text) ? durationToMs(text) : wrong(flag, text, 'a duration such as 90s or 6h30m')
  }
  const { batch = '500' } = options
  if (!/^[1-9]\d{0,4}$/.test(batch)) wrong('batch', batch, 'a number of rows from 1 to 99999')
  const plan = { idleMs: duration('idle', 900_000), pauseMs: duration('pause', 20), limit: Number(batch) }
  await withDatabase(io, databaseOf(io, { files: options.config ?? [], dsn }), (db) => run(io, db, options, plan))
}

async function run(
  io: Io,
  db: Db,
  { yes, force }: Options,
  plan: { idleMs: number; pauseMs: number; limit: number },
): Promise<void> {
  const { problem, pending, kind } = await statusOnceReachable(io, db)
  if (problem !== undefined) throw new Failure(`Error: ${problem}`)
  if (kind !== 'adopted')
    return print(io.stdout, 'The tokens in this database rest hashed since its beginning, nothing to do.')
  if (pending > 0) throw new Failure(`Error: ${pending} migrations are pending; run ${io.name} migrate sql up -e first`)
  const meta = await loadMeta(db, { kind, now: formatTime(io.clock.now()), random: io.random })
  const hashing = createTokenHashing({ ...io, store: createHashTokensStore(db, meta.nid) })

  if (force !== true) await checkIdle(hashing, plan.idleMs)
  const remaining = await hashing.remaining()
  if (remaining === 0 && (await hashing.mode()) === 'sha256') {
    return print(io.stdout, 'All session tokens rest hashed, nothing to do.')
  }
  print(
    io.stderr,
    `${remaining} session tokens will be hashed. Kratos can read none of them afterwards, and there is no way back.`,
  )
  for (const { name, connections } of await hashing.otherPrograms()) {
    print(io.stderr, `Connected to this database: ${name} (${connections}). Kratos gives no name.`)
  }
  if (yes !== true) await confirm(io, 'Is Kratos gone for good?')
  const done = await hashing.run({
    ...plan,
    onProgress: (count, total) => print(io.stderr, `hashed ${count} of ${total}`),
    onWaiting: () => print(io.stderr, 'waiting for sign-ins and transactions that began before'),
  })
  if (!done)
    throw new Failure(
      'Some rows or transactions are still open in other connections. What is hashed stays hashed; run this again.',
    )
  print(io.stdout, 'All session tokens rest hashed.')
}

async function checkIdle(hashing: ReturnType<typeof createTokenHashing>, idleMs: number): Promise<void> {
  try {
    await hashing.checkIdle(idleMs)
  } catch (error) {
    if (!(error instanceof KratosIsWriting)) throw error
    throw new Failure(
      `Error: Kratos still writes to this database, last at ${error.at}. It could read no hashed token and would sign\n` +
        `everybody out. Stop it first, or see that nothing reaches it, and try again when --idle has passed.`,
    )
  }
}
