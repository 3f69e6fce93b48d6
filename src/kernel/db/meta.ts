import { type Db, type Queryable, type Row, StoreError, sql } from './client.ts'

/** `hardening`: tokens that were stored plain are being hashed; the table holds both forms. */
export type TokenMode = 'sha256' | 'plain' | 'hardening'

export interface Meta {
  /** the network that every row belongs to: Kratos filters each query by the oldest one */
  nid: string
  /** how session tokens are stored; decided once, when the database is first used */
  tokens: TokenMode
  /** 32 random bytes of this database, shared by all nodes; never leaves the process */
  serverSecret: Buffer
  kind: 'owned' | 'adopted'
}

export interface MetaOptions {
  kind: 'owned' | 'adopted'
  /** RFC 3339, for the row of a new network */
  now: string
  /** `lethe.database.tokens`: the mode that the operator wants; by default what suits the kind of database */
  tokens?: 'sha256' | 'plain' | undefined
  random: (bytes: number) => Buffer
}

/** The configuration wants another mode than this database has; nothing was written. */
export class MetaMismatch extends Error {
  override readonly name = 'MetaMismatch'
}

const OLDEST_NETWORK = sql('meta.oldest_network', 'select id from networks order by created_at, id limit 1')
const ADD_NETWORK = sql(
  'meta.add_network',
  `insert into networks (id, created_at, updated_at) select $1::uuid, $2::timestamp, $2::timestamp
   where not exists (select 1 from networks)`,
)
const ONE_STARTER = sql('meta.one_starter', 'select 1 from pg_advisory_xact_lock(465558595685)')
const ADD = sql('meta.add', 'insert into lethe.meta (key, value) values ($1, $2::jsonb) on conflict (key) do nothing')
const READ = sql('meta.read', 'select key, value from lethe.meta where key in ($1, $2, $3)')

/**
 * Reads what all nodes must agree on, and creates what is missing. What is recorded never changes here: another
 * mode of tokens would lock everyone out, another secret would void every logout token.
 *
 * @throws StoreUnavailable, MetaMismatch
 */
export async function loadMeta(db: Db, options: MetaOptions): Promise<Meta> {
  const { kind, tokens } = options
  const known = await readMeta(db)
  if (!known && kind === 'adopted' && tokens === 'sha256') {
    throw new MetaMismatch(
      'lethe.database.tokens is sha256, and Kratos reads the tokens of this database as they are: unset it, and run ' +
        '"tokens harden" once Kratos is gone',
    )
  }
  const meta = known ?? (await db.tx((tx) => createMeta(tx, options)))
  if (tokens !== undefined && meta.tokens !== 'hardening' && meta.tokens !== tokens) {
    throw new MetaMismatch(
      `lethe.database.tokens is ${tokens}, and this database holds its tokens as ${meta.tokens}: ` +
        'unset it; another form would sign everybody out',
    )
  }
  return meta
}

async function createMeta(tx: Queryable, { kind, now, random, tokens }: MetaOptions): Promise<Meta> {
  await tx.query(ONE_STARTER)
  await tx.query(ADD_NETWORK, [uuid4(random), now])
  await tx.query(ADD, ['kind', JSON.stringify(kind)])
  await tx.query(ADD, ['tokens', JSON.stringify(tokens ?? (kind === 'owned' ? 'sha256' : 'plain'))])
  await tx.query(ADD, ['server_secret', JSON.stringify(random(32).toString('base64'))])
  const meta = await readMeta(tx)
  if (!meta) throw new StoreError('lethe.meta: what was written is not there', undefined)
  return meta
}

async function readMeta(db: Queryable): Promise<Meta | undefined> {
  const [network] = await db.query<{ id: string }>(OLDEST_NETWORK)
  const rows = await db.query<Row>(READ, ['kind', 'tokens', 'server_secret'])
  const get = (key: string) => rows.find((row) => row.key === key)?.value
  const [kind, tokens, secret] = [get('kind'), get('tokens'), get('server_secret')]
  if (!network || kind === undefined || tokens === undefined || secret === undefined) return undefined
  const serverSecret = Buffer.from(String(secret), 'base64')
  if (!isKind(kind) || !isTokenMode(tokens) || serverSecret.length !== 32) {
    throw new StoreError(
      'lethe.meta: kind, tokens or server_secret was changed to a value that is not known',
      undefined,
    )
  }
  return { nid: network.id, tokens, serverSecret, kind }
}

const isKind = (value: unknown): value is Meta['kind'] => value === 'owned' || value === 'adopted'
const isTokenMode = (value: unknown): value is TokenMode =>
  value === 'sha256' || value === 'plain' || value === 'hardening'

function uuid4(random: (bytes: number) => Buffer): string {
  const bytes = random(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
