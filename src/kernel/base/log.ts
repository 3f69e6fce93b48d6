import type { Writable } from 'node:stream'
import { type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { Config } from '../../config/schema/schema.ts'
import { withoutRequestText } from './request-words.ts'

export type { Logger }

/** Kratos's words for levels, as pino knows them. */
const LEVELS = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
} as const

const SECRET = /\bory_(st|lo|ac|rt)_[A-Za-z0-9]+|\bs2_[\w-]{36}/g
/** Not the word PASSWORD itself: it is part of the advice on how to write an address. */
const DSN_PASSWORD = /(\b[a-z][a-z0-9]*:\/\/[^:/?#\s]*:)(?!PASSWORD@)[^@/\s]+@/gi

/** Removes tokens and passwords of addresses from a text. The last line of defence: nothing should log them. */
export function redact(text: string): string {
  return text.replace(SECRET, '[redacted]').replace(DSN_PASSWORD, '$1[redacted]@')
}

/**
 * The log: JSON lines, or readable text on a terminal. Secrets are never handed to it: requests are logged
 * by method, route and address, never with headers or a query.
 * @param worker the number of this process, where several serve the same ports
 */
export async function createLogger(
  config: Pick<Config, 'log'>,
  out: Writable & { isTTY?: boolean },
  worker?: number,
): Promise<Logger> {
  const asText = config.log.format === undefined ? out.isTTY === true : config.log.format === 'text'
  const options = {
    level: LEVELS[config.log.level],
    base: { service_name: 'lethe', ...(worker === undefined ? {} : { worker }) },
    messageKey: 'msg',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label === 'warn' ? 'warning' : label }) },
    hooks: {
      // Also lines of libraries.
      streamWrite: redact,
      logMethod(this: Logger, args: unknown[], method: (this: Logger, ...args: never[]) => void) {
        method.apply(this, withoutRequestText(this, args) as never[])
      },
    },
    serializers: { err: (error: Error) => redactError(stdSerializers.err(error)) },
  }
  if (!asText) return pino(options, out)
  const { default: pretty } = await import('pino-pretty')
  const { formatters: _, ...plain } = options
  return pino(
    plain,
    pretty({ destination: out, ignore: 'pid,hostname,service_name', translateTime: 'SYS:HH:MM:ss', sync: true }),
  )
}

/** Only these members of an error: drivers and parsers keep their input in others. */
function redactError(given: unknown): unknown {
  const { type, message, code, stack, cause } = (given ?? {}) as Record<string, unknown>
  const error = { type, message, code, stack, cause }
  return JSON.parse(JSON.stringify(error), (_key, value) => (typeof value === 'string' ? redact(value) : value))
}
