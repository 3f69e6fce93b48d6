import { setImmediate as nextTurn } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import type { Db, Row, Sql } from '../client.ts'
import { isStalePlan, mapError } from '../errors.ts'
import { inOrder, type Values } from '../named.ts'
import { transaction } from '../transaction.ts'
import { encodeValue, TYPES } from '../values.ts'
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

/**
 * Postgres inside this process. There is one connection, so statements and transactions run one after the other.
 *
 * @throws DataDirInUse, DataDirUnusable, DataDirOpen
 * @see https://pglite.dev/docs/api
 */
export async function openPglite(options: PgliteOptions = {}): Promise<PgliteDb> {
  const unlock = options.dataDir === undefined ? undefined : await lockDataDir(options.dataDir)
  const { engine, client } = await start(options).catch(async (error: unknown) => {
    await unlock?.()
    throw error
  })
  const alone = createMutex(options.acquireTimeoutMs ?? 10_000)

  async function run<R>(statement: Sql, values: Values, inTx: boolean): Promise<R[]> {
    const { name, text } = statement
    const config = { text, values: inOrder(statement, values).map(encodeValue) }
    // The engine computes in this thread and never yields: 64 requests at once kept everything else from
    // its turn for more than a second.
    await nextTurn()
    const started = performance.now()
    let ok = false
    try {
      // Prepared, a statement takes a quarter of the time: the engine is slowest at parsing and planning.
      const result = await client.query<Row>({ ...config, name }).catch((error: unknown) => {
        if (isStalePlan(error) && !inTx) return client.query<Row>(config)
        throw error
      })
      ok = true
      return result.rows as R[]
    } catch (error) {
      throw mapError(error, name)
    } finally {
      options.onStatement?.(name, (performance.now() - started) / 1000, ok)
    }
  }
  const plain = (text: string) =>
    client.query(text).catch((error: unknown) => {
      throw mapError(error, text)
    })

  return {
    backend: 'pglite',
    writable: async () => {},
    query: <R>(statement: Sql, values: Values = []) => alone(() => run<R>(statement, values, false)),
    tx: (work) =>
      alone(async () => {
        await plain('begin')
        return transaction({ query: (statement, values) => run(statement, values, true), plain }, work)
      }),
    script: (text) =>
      alone(async () => {
        try {
          await client.query(text)
        } catch (error) {
          await client.query('rollback').catch(() => {})
          throw mapError(error, 'script')
        }
      }),
    dump: () => alone(() => engine.dumpDataDir('none')),
    async close() {
      await alone(async () => {
        await client.end()
        await engine.close()
      })
      await unlock?.()
    },
  }
}

async function start(options: PgliteOptions): Promise<{ engine: PGlite; client: pg.Client }> {
  const engine = await startEngine(options)
  return { engine, client: await connect(engine) }
}

async function startEngine({ dataDir, loadDataDir, onWarning = () => {} }: PgliteOptions): Promise<PGlite> {
  if (dataDir !== undefined) await closeDataDir(dataDir, onWarning)
  const engine = await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(loadDataDir === undefined ? {} : { loadDataDir }),
  })
  if (dataDir !== undefined) await closeFiles(dataDir)
  return engine
}

/** The driver of Postgres, with the engine in place of a socket. */
async function connect(engine: PGlite): Promise<pg.Client> {
  const client = new pg.Client({ ...createPgConfig(engine), types: TYPES } as pg.ClientConfig)
  // The statement that was running reports it; without a listener it would end the process.
  client.on('error', () => {})
  await client.connect()
  await client.query("set timezone = 'UTC'; set datestyle = 'ISO, MDY'")
  return client
}
