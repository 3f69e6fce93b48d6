import type { Config } from '../../config/schema/schema.ts'

const HOUR_MS = 3_600_000

/** The options of the code method, with the defaults of Kratos. */
export function codeSettings({ selfservice }: Config) {
  const { enabled, passwordless_enabled, mfa_enabled, config } = selfservice.methods.code
  return {
    enabled,
    passwordless: passwordless_enabled,
    mfa: mfa_enabled,
    lifespanMs: config?.lifespan ?? HOUR_MS,
    maxSubmissions: config?.max_submissions ?? 5,
    fallback: config?.missing_credential_fallback_enabled ?? false,
  }
}

/**
 * What messages tell: whole minutes, rounded down, of the code or of its flow, whichever ends first. At login those of the
 * code, as recorded: a login flow lasts ten minutes by default, and the value goes to operators' own templates and senders.
 */
export function minutesOf(config: Config, kind: 'login' | 'registration' | 'recovery' | 'verification'): number {
  const { lifespanMs } = codeSettings(config)
  const flow = kind === 'login' ? lifespanMs : config.selfservice.flows[kind].lifespan
  return Math.floor(Math.min(lifespanMs, flow) / 60_000)
}
