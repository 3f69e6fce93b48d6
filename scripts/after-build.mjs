/**
 * What follows the compiler: the command becomes executable, and an embedded database without any data is made once, so
 * that the first start unpacks it instead of making it.
 */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'

const dist = new URL('../dist/', import.meta.url)
const migrations = new URL('../migrations/', import.meta.url)
// As it is: compressed it would take a tenth of the 41 MB, and the first start half a second longer.
const archive = new URL('embedded.tar', dist)
const madeFrom = new URL('embedded.from', dist)

chmodSync(new URL('cli.js', dist), 0o755)
// The compiler writes only what has changed; tests of the command ask whether it is older than a source.
utimesSync(new URL('cli.js', dist), new Date(), new Date())

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const hash = createHash('sha256').update(dependencies['@electric-sql/pglite'])
for (const name of readdirSync(migrations).sort()) hash.update(name).update(readFileSync(new URL(name, migrations)))
const source = hash.digest('hex')

if (!existsSync(archive) || !existsSync(madeFrom) || readFileSync(madeFrom, 'utf8') !== source) {
  const { openPglite } = await import(new URL('kernel/db/pglite/client.js', dist))
  const { migrateUp } = await import(new URL('kernel/db/migrations/migrate.js', dist))
  const db = await openPglite()
  await migrateUp(db)
  writeFileSync(archive, new Uint8Array(await (await db.dump()).arrayBuffer()))
  writeFileSync(madeFrom, source)
  await db.close()
}
