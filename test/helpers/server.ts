import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import type { Deps } from '../../src/compose/deps.ts'
import { createNode } from '../../src/compose/node.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import { createMessageTemplates } from '../../src/courier/templates/templates.ts'
import { createSchemas } from '../../src/identities/schema/schemas.ts'
import { type Clock, systemClock } from '../../src/kernel/base/clock.ts'
import { createLogger } from '../../src/kernel/base/log.ts'
import type { Hasher } from '../../src/kernel/crypto/passwords/passwords.ts'
import type { Db } from '../../src/kernel/db/client.ts'
import { migrationStatus } from '../../src/kernel/db/migrations/migrate.ts'
import type { exchange } from '../../src/kernel/outbound/client.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { END_CAUSES } from '../../src/sessions/types.ts'
import { createTokenTemplates } from '../../src/tokens/templates.ts'
import { type Backend, postgres, type Scope } from './db.ts'
import { testHasher } from './hasher.ts'

type Tree = { [key: string]: unknown }

/** A test that is about load or deadlines asks for them; for the others a slow machine is no overload. */
export const PATIENT: Tree = { lethe: { http: { max_event_loop_delay: '0s', response_timeout: '2m' } } }

export const WIRE_CONFIGS: Record<string, Tree> = JSON.parse(
  readFileSync(new URL('../fixtures/wire/configs.json', import.meta.url), 'utf8'),
)

export interface TestServerOptions {
  backend?: Backend
  /** a database that is open already; wins over `backend` */
  db?: Db
  /** a name of the recorded configurations, laid over the default one */
  wireConfig?: string
  /** a whole configuration instead of a recorded one */
  base?: Tree
  /** what further `{{words}}` of the configuration stand for */
  words?: Record<string, string>
  /** merge patch on top of it all */
  config?: Tree
  dev?: boolean
  /** the public name, where an address will not do, as for keys */
  host?: 'localhost'
  clock?: Clock
  logLevel?: 'trace'
  /** instead of the cheap one */
  hasher?: Hasher
  /** plays the servers of providers that are at fixed places */
  exchange?: typeof exchange
}

export interface TestServer {
  publicUrl: string
  adminUrl: string
  db: Db
  deps: Deps
  /** everything logged so far, one JSON object a line */
  logs(): string
  /** swaps the configuration as a reload does */
  reconfigure(patch: Tree): Promise<void>
  close(): Promise<void>
}

/** Both servers on free ports of the loopback, over real HTTP, closed when the test ends. */
export async function testServer(t: Scope, options: TestServerOptions = {}): Promise<TestServer> {
  const db = options.db ?? (await (options.backend ?? postgres).open(t))
  const clock = options.clock ?? systemClock()
  const patch = mergePatch(WIRE_CONFIGS[options.wireConfig ?? 'default'] ?? {}, options.config ?? {})
  const isDefault = (options.wireConfig ?? 'default') === 'default'
  let tree: Tree = options.base
    ? mergePatch(options.base, options.config ?? {})
    : isDefault
      ? patch
      : mergePatch(WIRE_CONFIGS.default, patch)
  const load = (urls: { public: string; admin: string }): Config => {
    const text = JSON.stringify(mergePatch(PATIENT, { dsn: 'memory', ...tree })).replace(
      /\{\{(\w+)\}\}/g,
      (all, word: string) => ({ ...options.words, ...urls })[word] ?? all,
    )
    return loadConfig({
      files: ['config.json'],
      env: {},
      flags: { dev: false },
      readFile: () => text,
      random: randomBytes,
    }).config
  }
  let urls = { public: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2' }
  let config = load(urls)
  const lines: string[] = []
  const log = await createLogger(
    { log: { ...config.log, level: options.logLevel ?? 'info', format: 'json' } },
    new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }),
  )
  const kind = (await migrationStatus(db)).kind === 'adopted' ? 'adopted' : 'owned'
  let schemas = await createSchemas(config, process.cwd())
  const readTemplates = () => createTokenTemplates(config, process.cwd(), () => performance.now())
  let tokenTemplates = await readTemplates()
  const readMessages = () =>
    createMessageTemplates(
      config,
      process.cwd(),
      () => performance.now(),
      ({ key, error }) =>
        log.error({ keys: [key], reason: error.message }, 'a message template failed; the built-in text was sent'),
    )
  let messageTemplates = await readMessages()
  // The key does nothing in a file: the flag is what it stands for in the recorded configurations.
  const sendsMessages = tree['watch-courier'] === true
  const { deps, apps } = await createNode({
    config: () => config,
    schemas: () => schemas,
    tokenTemplates: () => tokenTemplates,
    messageTemplates: () => messageTemplates,
    enforceNativeFlows: true,
    dev: options.dev ?? WIRE_CONFIGS[options.wireConfig ?? 'default']?.dev === true,
    watchCourier: sendsMessages,
    cwd: process.cwd(),
    hostname: 'localhost',
    clock,
    random: randomBytes,
    log,
    metrics: createMetrics({ version: 'v26.2.0', causes: END_CAUSES, processMetrics: false }),
    db,
    kind,
    hasher: options.hasher ?? testHasher(),
    ...(options.exchange && { exchange: options.exchange }),
    app: {
      version: 'v26.2.0',
      isReady: async () => true,
      requestId: () => randomBytes(8).toString('hex'),
      configHash: () => '',
    },
  })
  urls = {
    public: named(await apps.public.listen({ host: '127.0.0.1', port: 0 }), options.host),
    admin: await apps.admin.listen({ host: '127.0.0.1', port: 0 }),
  }
  config = load(urls)
  if (sendsMessages) deps.courierWorker.start()
  const close = async () => {
    await Promise.all([apps.public.close(), apps.admin.close()])
    if (sendsMessages) await deps.courierWorker.stop()
  }
  t.after(close)
  return {
    publicUrl: urls.public,
    adminUrl: urls.admin,
    db,
    deps,
    logs: () => lines.join(''),
    async reconfigure(more) {
      tree = mergePatch(tree, more)
      config = load(urls)
      schemas = await createSchemas(config, process.cwd())
      tokenTemplates = await readTemplates()
      messageTemplates = await readMessages()
    },
    close,
  }
}

const named = (url: string, host: string | undefined) => (host ? url.replace('127.0.0.1', host) : url)

/** @see RFC 7396 */
export function mergePatch(base: unknown, patch: Tree): Tree {
  const out: Tree = isTree(base) ? { ...base } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = isTree(value) ? mergePatch(out[key], value) : value
  }
  return out
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)
