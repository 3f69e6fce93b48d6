import { VERSION } from '../../kernel/base/version.ts'
import { originAsSent } from '../origins.ts'
import type { Config } from '../schema/schema.ts'
import { hidingLists } from './hook-lists.ts'
import { unusableKeys } from './keys.ts'
import { unsupportedKeys } from './unsupported.ts'
import { isUriOrPath } from './uris.ts'

/** A finding that an operator should know of and that does not prevent the start. */
export interface ConfigWarning {
  readonly code:
    | 'unsupported_keys'
    | 'generated_secrets'
    | 'version'
    | 'deprecated'
    | 'hidden_hooks'
    | 'short_flow'
    | 'unusable_value'
    | 'ignored_variable'
    | 'weak_setting'
  readonly message: string
  /** dotted paths, or names of variables for `ignored_variable` */
  readonly keys: readonly string[]
}

export function collectWarnings(config: Config, generatedSecrets: boolean): ConfigWarning[] {
  const warnings: ConfigWarning[] = []
  const warn = (code: ConfigWarning['code'], message: string, keys: readonly string[]) => {
    if (keys.length > 0) warnings.push({ code, message, keys })
  }
  warn('unsupported_keys', 'configuration keys accepted but not supported', unsupportedKeys(config))
  if (generatedSecrets) {
    const message =
      'no secrets configured: random ones were made, so sessions by cookie end with this process and do not work on a second one'
    warn('generated_secrets', message, ['secrets.cookie', 'secrets.default'])
  }
  if (config.version === undefined) {
    warn('version', `no version specified; files are read as those of ${VERSION}`, ['version'])
  } else if (config.version !== VERSION) {
    warn('version', `file written for ${config.version}, read as one of ${VERSION}`, ['version'])
  }
  if (config.selfservice.flows.registration.enable_legacy_one_step) {
    const message = 'deprecated: use selfservice.flows.registration.style: unified'
    warn('deprecated', message, ['selfservice.flows.registration.enable_legacy_one_step'])
  }
  for (const { general, methods } of hidingLists(config)) {
    warn('hidden_hooks', `the hooks of ${general} do not run for methods that have hooks of their own`, methods)
  }
  for (const { flow, secrets } of outlivedFlows(config)) {
    warn('short_flow', `ends with its flow: ${flow} is shorter`, secrets)
  }
  const { public: port } = config.serve
  const origins = port.cors.allowed_origins.map((entry, index) => {
    return { entry, sent: originAsSent(entry), key: `serve.public.cors.allowed_origins.${index}` }
  })
  const never = origins.filter(({ sent }) => sent === undefined).map(({ key }) => key)
  warn('unusable_value', 'not an origin (scheme, host and port): no browser sends it, and nothing matches', never)
  for (const { entry, sent, key } of origins) {
    if (sent === undefined || sent === entry.toLowerCase()) continue
    warn('unusable_value', `browsers send this origin as ${sent}: read as that here, and never matched by Kratos`, [
      key,
    ])
  }
  warn('unusable_value', 'neither an absolute URL nor a path: never used', unusableAddresses(config))
  for (const { message, keys } of unusableKeys(config)) warn('unusable_value', message, keys)
  const { methods, flows } = config.selfservice
  const second = methods.totp.enabled || methods.lookup_secret.enabled || methods.webauthn.enabled
  if (second && flows.settings.required_aal === 'aal1') {
    const message = 'a session of the password alone may remove second factors, or add one and so raise its level'
    warn('weak_setting', message, ['selfservice.flows.settings.required_aal'])
  }
  if (methods.code.mfa_enabled && sameMailbox(config)) {
    const message = 'the same mailbox may give both factors: codes go by mail only, as do those of recovery'
    warn('weak_setting', message, ['selfservice.methods.code.mfa_enabled'])
  }
  return warnings
}

/** Whether mail alone signs in, by recovery, and is the only channel for the second factor. */
const sameMailbox = ({ courier, selfservice }: Config) =>
  courier.channels.length === 0 && selfservice.flows.recovery.enabled

/** Codes and links that are said to live longer than the flow that takes them. */
function outlivedFlows({ selfservice: { flows, methods } }: Config) {
  return (['recovery', 'verification'] as const).flatMap((kind) => {
    const { enabled, use, lifespan } = flows[kind]
    const own = methods[use].config?.lifespan ?? 0
    if (!enabled || !methods[use].enabled || own <= lifespan) return []
    return [{ flow: `selfservice.flows.${kind}.lifespan`, secrets: [`selfservice.methods.${use}.config.lifespan`] }]
  })
}

/** Addresses that Kratos accepts at start and replaces or skips later. */
function unusableAddresses(config: Config): string[] {
  const { flows, allowed_return_urls: allowed } = config.selfservice
  const names = allowed.flatMap((url, index) =>
    isUriOrPath(url) && !/^https?:\/\/\*(\/|$)/.test(url) ? [] : [`selfservice.allowed_return_urls.${index}`],
  )
  for (const flow of ['login', 'registration', 'logout'] as const) {
    const { after } = flows[flow]
    const check = (url: string | undefined, name: string) => {
      if (url !== undefined && !isUriOrPath(url)) names.push(`selfservice.flows.${flow}.after.${name}`)
    }
    check(after.default_browser_return_url, 'default_browser_return_url')
    if ('password' in after) check(after.password.default_browser_return_url, 'password.default_browser_return_url')
  }
  return names
}
