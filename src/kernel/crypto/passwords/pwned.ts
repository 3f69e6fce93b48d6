import { createHash } from 'node:crypto'
import type { exchange } from '../../outbound/client.ts'
import { createConnections } from '../../outbound/connections.ts'
import type { AddressRules } from '../../outbound/guard.ts'

/** How often the password occurs in known breaches; 0 for never. @throws BreachCheckUnavailable */
export type BreachCount = (password: string) => Promise<number>

export interface PwnedSettings {
  /** host name without scheme, `api.pwnedpasswords.com` unless configured otherwise */
  haveibeenpwned_host: string
  /** true: a password that cannot be checked counts as never seen */
  ignore_network_errors: boolean
}

/** The breach service gave no usable answer, and the configuration does not allow to go on without. */
export class BreachCheckUnavailable extends Error {
  override readonly name = 'BreachCheckUnavailable'
  constructor(host: string, options?: ErrorOptions) {
    super(
      `the breach check at ${host} gave no answer; if passwords may go unchecked meanwhile, ` +
        'set selfservice.methods.password.config.ignore_network_errors',
      options,
    )
  }
}

/** A real answer has about 40 KB, padded ones 60. */
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * Asks a k-anonymity range service: five of the forty hex digits of the SHA-1 are sent, and the answer lists all
 * known endings. It asks for padding, because the length of a plain answer would reveal the five digits.
 *
 * @param deps.timeoutMs for the whole exchange, body included; a person waits for the form meanwhile. Default 1000, as Kratos.
 * @see https://haveibeenpwned.com/API/v3#PwnedPasswords
 */
export function createPwnedChecker(deps: {
  exchange: typeof exchange
  settings: () => PwnedSettings
  rules: () => AddressRules
  timeoutMs?: number
}): BreachCount {
  const connections = createConnections()
  return async (password) => {
    const { haveibeenpwned_host: host, ignore_network_errors: ignore } = deps.settings()
    const sha1 = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase()
    const url = `https://${host}/range/${sha1.slice(0, 5)}`
    const limits = { timeoutMs: deps.timeoutMs ?? 1000, maxBytes: MAX_ANSWER_BYTES }
    try {
      const request = { method: 'GET', url, headers: { 'Add-Padding': 'true' }, ...limits } as const
      const { status, body, cut } = await deps.exchange(request, deps.rules(), connections)
      if (status !== 200) throw new Error(`status ${status}`)
      if (cut !== undefined) throw new Error(cut)
      return countOf(sha1.slice(5), body.toString('utf8'))
    } catch (error) {
      if (ignore) return 0
      throw new BreachCheckUnavailable(host, { cause: error })
    }
  }
}

/** Lines `ENDING:COUNT`; padding has count 0. A line without a count, which the service was seen to send, counts as one. */
function countOf(ending: string, answer: string): number {
  for (const line of answer.split('\n')) {
    const [suffix, count] = line.trim().split(':')
    if (suffix?.toUpperCase() !== ending) continue
    const number = count === undefined ? 1 : Number(count.replaceAll(',', ''))
    if (!Number.isSafeInteger(number)) throw new Error('a count that is not a number')
    return number
  }
  return 0
}
