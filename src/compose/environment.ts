import { adminBaseUrl, type Config, publicBaseUrl } from '../config/schema/schema.ts'
import type { MessageTemplates } from '../courier/templates/templates.ts'
import { createIdentityAnswers } from '../identities/answers.ts'
import type { Schemas } from '../identities/schema/schemas.ts'
import type { Clock } from '../kernel/base/clock.ts'
import type { Logger } from '../kernel/base/log.ts'
import { createCipher } from '../kernel/crypto/cipher.ts'
import type { Hasher } from '../kernel/crypto/passwords/passwords.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Db } from '../kernel/db/client.ts'
import type { Meta } from '../kernel/db/meta.ts'
import type { exchange } from '../kernel/outbound/client.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { TokenTemplates } from '../tokens/templates.ts'

/** What the process hands in: everything that is not a pure function of the configuration. */
export interface Environment {
  config(): Config
  schemas(): Schemas
  tokenTemplates(): TokenTemplates
  messageTemplates(): MessageTemplates
  dev: boolean
  /** native flows refuse requests that look like a browser's; off only by DEV_DISABLE_API_FLOW_ENFORCEMENT in dev mode */
  enforceNativeFlows: boolean
  /** whether this node sends messages; with `dev` it always does */
  watchCourier: boolean
  /** where relative `file://` addresses begin */
  cwd: string
  /** the machine's name, for addresses that the configuration leaves open */
  hostname: string
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
  db: Db
  meta: Meta
  hasher: Hasher
  /** asks the servers of providers; absent: over the network */
  exchange?: typeof exchange
}

/** The environment and what is built from it alone; every feature may use it. */
export type Base = ReturnType<typeof composeBase>

export function composeBase(env: Environment) {
  const baseUrls = {
    public: () => publicBaseUrl(env.config(), env),
    admin: () => adminBaseUrl(env.config(), env),
  }
  const cipher = createCipher(() => {
    const { ciphers, secrets } = env.config()
    return { algorithm: ciphers.algorithm, secrets: secrets.cipher ?? [] }
  }, env.random)
  const reveal = (text: string) => cipher.decrypt(text)?.toString('utf8') ?? ''
  const identityAnswers = createIdentityAnswers(baseUrls.public, reveal)
  return { ...env, baseUrls, cipher, identityAnswers, identityAnswer: identityAnswers.toPublic }
}
