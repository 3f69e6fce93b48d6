import { setImmediate as nextTurn } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import type { Db, Row, Sql } from '../client.ts'
import { mapError } from '../errors.ts'
import { inOrder, type Values } from '../named.ts'
import { transaction } from '../transaction.ts'
import { encodeValue, PARSERS } from '../values.ts'
import { closeDataDir, closeFiles } from './data-dir.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { createMutex } from './mutex.ts'

export interface PgliteOptions {
  /** folder of the data; undefined: in memory, gone at the end of the process */
  dataDir?: string | undefined
  /** for waiting until the one connection is free @default 10000 */
  acquireTimeoutMs?: number | undefined
  onStatement?: ((name: string, seconds: number, ok: boolean) => void) | undefined
  /** an archive made by `dump`, to start from */
  loadDataDir?: Blob | undefined
  /** called when others could reach the folder */
  onWarning?: ((message: string) => void) | undefined
}

export interface PgliteDb extends Db {
  /** an archive of the whole database, for `loadDataDir` */
  dump(): Promise<Blob>
}

/** Parameters are text already; the server finds out their types. */
const AS_TEXT = new Proxy<Record<number, (value: string) => string>>({}, { get: () => (value: string) => value })

/**
 * Postgres inside this process. There is one connection, so statements and transactions run one after the other.
 *
 * @throws DataDirInUse, DataDirOpen
 * @see https://pglite.dev/docs/api
 */
export async function openPglite(options: PgliteOptions = {}): Promise<PgliteDb> {
  const unlock = options.dataDir === undefined ? undefined : await lockDataDir(options.dataDir)
  const engine = await startEngine(options).catch(async (error: unknown) => {
    await unlock?.()
    throw error
  })
  await engine.exec("set timezone = 'UTC'; set datestyle = 'ISO, MDY'")
  const alone = createMutex(options.acquireTimeoutMs ?? 10_000)

  async function run<R>(statement: Sql, values: Values): Promise<R[]> {
    const encoded = inOrder(statement, values).map(encodeValue)
    // The engine computes in this thread and never yields: 64 requests at once kept everything else from
    // its turn for more than a second.
    await nextTurn()
    const started = performance.now()
    let ok = false
    try {
      const result = await engine.query<Row>(statement.text, encoded, { serializers: AS_TEXT })
      ok = true
      return result.rows as R[]
    } catch (error) {
      throw mapError(error, statement.name)
    } finally {
      options.onStatement?.(statement.name, (performance.now() - started) / 1000, ok)
    }
  }
  const plain = (text: string) =>
    engine.exec(text).catch((error: unknown) => {
      throw mapError(error, text)
    })

  return {
    backend: 'pglite',
    writable: async () => {},
    query: <R>(statement: Sql, values: Values = []) => alone(() => run<R>(statement, values)),
    tx: (work) =>
      alone(async () => {
        await plain('begin')
        return transaction({ query: run, plain }, work)
      }),
    script: (text) =>
      alone(async () => {
        try {
          await engine.exec(text)
        } catch (error) {
          await engine.exec('rollback')
          throw mapError(error, 'script')
        }
      }),
    dump: () => alone(() => engine.dumpDataDir('none')),
    async close() {
      await alone(() => engine.close())
      await unlock?.()
    },
  }
}

async function startEngine({ dataDir, loadDataDir, onWarning = () => {} }: PgliteOptions): Promise<PGlite> {
  if (dataDir !== undefined) await closeDataDir(dataDir, onWarning)
  const engine = await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(loadDataDir === undefined ? {} : { loadDataDir }),
    parsers: PARSERS as Record<number, (text: string) => unknown>,
  })
  if (dataDir !== undefined) await closeFiles(dataDir)
  return engine
}
