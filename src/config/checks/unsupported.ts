import type { Config } from '../schema/schema.ts'
import { hookLists } from './hook-lists.ts'

interface Rule {
  readonly name: string
  readonly on: (config: Config) => boolean
}

/** Class B keys that are not worth a warning: every file has them, or they do nothing in Kratos either. */
export const QUIET = [
  'help',
  'config',
  'sqa-opt-out',
  'watch-courier',
  'expose-metrics-port',
  'organizations',
  'enterprise',
  'preview',
  'secrets.pagination',
  'ciphers',
  'selfservice.methods.profile',
  'selfservice.methods.b2b',
  'selfservice.flows.settings',
  'feature_flags.legacy_continue_with_verification_ui',
  'hashers.argon2.expected_duration',
  'hashers.argon2.expected_deviation',
  'hashers.argon2.dedicated_memory',
] as const

const RULES: readonly Rule[] = [
  { name: 'dev', on: (config) => config.dev === true },
  {
    name: 'selfservice.methods.password.config.migrate_hook',
    on: (c) => c.selfservice.methods.password.config.migrate_hook.enabled,
  },
  { name: 'selfservice.flows.registration.login_hints', on: (c) => c.selfservice.flows.registration.login_hints },
  { name: 'serve.public.cors.options_passthrough', on: (c) => c.serve.public.cors.options_passthrough },
  { name: 'serve.public.cors.debug', on: (c) => c.serve.public.cors.debug },
  { name: 'tracing', on: (c) => c.tracing.provider !== undefined },
]

/** Hooks that do nothing, here or in the free edition of Kratos. */
const IDLE_HOOKS = ['b2b_sso', 'organization', 'verify_new_address', 'notify_previous_addresses']

/** Names of the keys that are switched on and have no effect, as they stand in the file. */
export function unsupportedKeys(config: Config): string[] {
  const names = RULES.filter((rule) => rule.on(config)).map((rule) => rule.name)
  for (const { name, hooks } of hookLists(config)) {
    if (hooks.some(({ hook }) => IDLE_HOOKS.includes(hook))) names.push(name)
  }
  return [...new Set(names)].sort()
}

/** For tests: the keys that a rule or the quiet list covers. */
export function coveredNames(): string[] {
  return [...RULES.map((rule) => rule.name), ...QUIET]
}
