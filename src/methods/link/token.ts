import type { Config } from '../../config/schema/schema.ts'
import { randomText } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'

/** Of letters and digits: 190 bits. */
const LENGTH = 32

export const newLinkToken = (random: Random): string => randomText(random, LENGTH)

/** Longer texts are no token of ours. */
export const isTokenText = (text: string): boolean => text.length > 0 && text.length <= 256

const HOUR_MS = 3_600_000

export const linkLifespanMs = ({ selfservice }: Config): number => selfservice.methods.link.config?.lifespan ?? HOUR_MS

/** What messages tell: whole minutes, rounded down, of the link or of its flow, whichever ends first. */
export const minutesOf = (config: Config, kind: 'recovery' | 'verification'): number =>
  Math.floor(Math.min(linkLifespanMs(config), config.selfservice.flows[kind].lifespan) / 60_000)
