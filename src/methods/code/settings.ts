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

/** For messages: whole minutes, rounded down. */
export const wholeMinutes = (ms: number): number => Math.floor(ms / 60_000)
