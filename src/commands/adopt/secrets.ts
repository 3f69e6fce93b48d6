import { loadConfig } from '../../config/load.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import { loadMeta } from '../../kernel/db/meta.ts'
import { acceptSecrets, requireSecrets } from '../../ops/known-secrets.ts'
import type { Cmd } from '../kit/command.ts'
import { confirm } from '../kit/confirm.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'

interface Options {
  config?: string[]
  yes?: boolean
}

/** @throws Failure, ConfigError, WrongSecrets when none are configured */
export async function replaceSecrets(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const { config: files = [], yes } = command.optsWithGlobals<Options>()
  const { config, generatedSecrets } = loadConfig({ files, env: io.env, flags: { dev: false } })
  requireSecrets(generatedSecrets)
  await withDatabase(io, databaseOf(io, { files, dsn }), async (db) => {
    const { kind, pending, problem } = await statusOnceReachable(io, db)
    if (problem !== undefined) throw new Failure(`Error: ${problem}`)
    if (kind !== 'adopted' || pending > 0) throw new Failure('Error: this database was never shared with Kratos')
    if (yes !== true) await confirm(io, 'Cookies under the former secrets will be refused. Go on?')
    const meta = await loadMeta(db, { kind, now: formatTime(io.clock.now()), random: io.random })
    await acceptSecrets(db, meta, config)
    print(io.stdout, 'The configured secrets are the known ones now.')
  })
}
