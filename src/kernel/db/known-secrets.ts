import { type Queryable, sql } from './client.ts'

const READ = sql('known_secrets.read', `select value from lethe.meta where key = 'cookie_secrets'`)
const RECORD = sql(
  'known_secrets.record',
  `insert into lethe.meta (key, value) values ('cookie_secrets', $1::jsonb) on conflict (key) do update set value = $1::jsonb`,
)

/** Fingerprints of the secrets that the database was last served with; undefined when it never was. */
export async function readKnownSecrets(db: Queryable): Promise<readonly string[] | undefined> {
  const [row] = await db.query<{ value: unknown }>(READ)
  return Array.isArray(row?.value) ? row.value.map(String) : undefined
}

export async function recordKnownSecrets(db: Queryable, fingerprints: readonly string[]): Promise<void> {
  await db.query(RECORD, [JSON.stringify(fingerprints)])
}
