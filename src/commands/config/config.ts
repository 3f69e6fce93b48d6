import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/schema/schema.ts'
import type { Cmd } from '../kit/command.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'

interface Options extends FormatOptions {
  config?: string[]
  dev?: boolean
  defaults?: boolean
}

/** The same from `src/commands` and from `dist/commands`. */
const SCHEMA = new URL('../../../config/kratos.schema.json', import.meta.url)

export function addConfig(program: Cmd, io: Io): void {
  const config = program.group('config', 'Check and show the configuration')

  const validate = config
    .command('validate')
    .description('Check files and environment as serve does, without starting anything')
    .argument('[file...]', 'more files, after those of --config')
    .option('--dev', 'check for serve --dev') as Cmd
  validate.examples('config validate -c kratos.yaml', 'config validate kratos.yaml lethe.yaml')
  validate.action((files: string[]) => check(io, validate.optsWithGlobals<Options>(), files))

  const show = config
    .command('show')
    .description('Show what files and environment say together and where it stands; secrets are hidden')
    .argument('[file...]', 'more files, after those of --config')
    .option('--defaults', 'also what is not set')
    .option('--format <format>', 'yaml, json, json-pretty, jsonpath=PATH or jsonpointer=POINTER (default: yaml)') as Cmd
  show.examples('config show -c kratos.yaml', 'config show -c kratos.yaml --format jsonpath=serve.public.base_url')
  show.action(async (files: string[]) => {
    const { config: given = [], defaults = false, format = 'yaml' } = show.optsWithGlobals<Options>()
    const { annotated, shownConfig } = await import('./show.ts')
    const shown = shownConfig({ files: [...given, ...files], env: io.env, defaults })
    if (/^json/.test(format)) writeFormatted(io, { format }, { value: shown.tree, table: [], ids: [] })
    else io.stdout.write(annotated(shown))
  })

  config
    .command('schema')
    .description('Print the JSON schema of the configuration file, for editors')
    .action(async () => void io.stdout.write(await readFile(SCHEMA, 'utf8')))
}

async function check(io: Io, options: Options, files: string[]): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts')
  const all = [...(options.config ?? []), ...files]
  const { config, warnings } = loadConfig({ files: all, env: io.env, flags: { dev: options.dev === true } })
  for (const { message, keys } of warnings)
    print(io.stderr, `warning: ${message}${keys.length > 0 ? ` (${keys.join(', ')})` : ''}`)
  await checkBehind(config).catch((error: Error) => {
    throw new Failure(`${error.message}\n\nError: the configuration is not valid, see above`)
  })
  print(io.stdout, 'The configuration is valid.')
}

/** What stands behind the values, as far as serve reads it before it opens a port. @throws Error */
async function checkBehind(config: Config): Promise<void> {
  const [{ createSchemas }, { createTokenTemplates }, { createMessageTemplates }, { readTls }, { parseDsn }] =
    await Promise.all([
      import('../../identities/schema/schemas.ts'),
      import('../../tokens/templates.ts'),
      import('../../courier/templates/templates.ts'),
      import('../../ops/tls.ts'),
      import('../../kernel/db/postgres/dsn.ts'),
    ])
  const now = () => performance.now()
  parseDsn(config.dsn)
  await readTls(config)
  await createSchemas(config, '.')
  await createTokenTemplates(config, '.', now)
  await createMessageTemplates(config, '.', now, () => {})
}
