import { type ConfigKey, configKeys } from '../../src/config/sources/keys.ts'
import type { Generator } from './generator.ts'

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema/ by \`npm run generate\`. Changes made here are lost. -->

Lethe reads the configuration files of Ory Kratos v26.2.0. Its own keys are those under \`lethe:\`; they may stand in the same
file or in a second one, so that Kratos can still read the first: \`serve -c kratos.yaml -c lethe.yaml\`.

## Where values come from

Later ones win: defaults, files in the order given, the flag \`--dev\`, environment variables.
Files may be YAML, JSON or TOML. Maps of several files are merged key by key, lists are replaced. Everything is checked before a
port opens; all mistakes are reported at once, with file, line, path and reason. Unknown keys, empty sections and wrong types are mistakes.

The name of the variable of a key is its path in capitals with \`_\` for every dot: \`session.lifespan\` is \`SESSION_LIFESPAN\`.

| value | how to write it in a variable | example |
|---|---|---|
| text, duration, size, number | as in a file | \`SESSION_LIFESPAN=720h\` |
| boolean | \`true\` or \`false\` (or \`1 t T TRUE True\`, \`0 f F FALSE False\`); anything else is refused | \`SERVE_PUBLIC_CORS_ENABLED=true\` |
| list of texts | separated by commas, with quotes where needed; or JSON; or one variable for each entry | \`SECRETS_COOKIE='"new secret 0002","old secret 0001"'\`, \`SECRETS_COOKIE_0=…\` |
| list of maps | JSON, or one variable for each member | \`IDENTITY_SCHEMAS='[{"id":"default","url":"file:///etc/x.json"}]'\`, \`IDENTITY_SCHEMAS_0_ID=default\` |
| map | JSON | \`LOG='{"level":"info"}'\` |
| hooks | not possible | |

A variable that is set but empty counts. \`DEV=true\` switches dev mode on like \`--dev\`, \`DEV=false\` switches it off.

## Columns

**Durations** are whole numbers with a unit (\`ns us ms s m h\`), several in a row: \`1h30m\`. There is no unit for days. **Sizes** need a unit: \`128MB\`, 1 KB being 1024 bytes.

**Support**: A is honoured. B is accepted without effect; the warning at start names those that are switched on. C is refused when
it is switched on in a way that would weaken security if it were ignored.

**Reload**: *live* takes effect when a file changes, without a restart. *start* waits for the restart; the log names such changes.
A change that cannot be used is reported, and the last good configuration stays.
`

/** Sections large enough for a heading of their own, most exact first. */
const HEADINGS = [
  ...['selfservice.flows.login', 'selfservice.flows.registration', 'selfservice.flows.settings', 'selfservice.flows'],
  ...['selfservice.methods', 'serve.public', 'serve.admin', 'session', 'cookies', 'secrets', 'ciphers', 'hashers'],
  ...['selfservice', 'identity', 'database', 'log', 'courier', 'oauth2_provider', 'tracing', 'clients', 'security'],
  ...['feature_flags', 'lethe'],
]

/** The reference of all keys. */
export const configurationDocs: Generator = {
  file: 'docs/configuration.md',
  generate() {
    const tables = new Map<string, ConfigKey[]>()
    for (const key of configKeys()) {
      if (key.description === undefined) continue
      const heading = HEADINGS.find((name) => key.name.startsWith(`${name}.`)) ?? 'General'
      tables.set(heading, [...(tables.get(heading) ?? []), key])
    }
    const parts = [...tables].map(([heading, keys]) => {
      const rows = keys.map(
        (key) => `| \`${key.name}\` | ${key.type} | ${shown(key)} | ${key.class} | ${key.reload} | ${cell(key)} |`,
      )
      return `## ${heading}\n\n| key | type | default | support | reload | meaning |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`
    })
    return `${INTRODUCTION}\n${parts.join('\n')}`
  },
}

function shown(key: ConfigKey): string {
  if (key.default === undefined) return '—'
  return `\`${typeof key.default === 'string' && key.default !== '' ? key.default : JSON.stringify(key.default)}\``
}

const cell = (key: ConfigKey) => (key.description ?? '').replaceAll('|', '\\|')
