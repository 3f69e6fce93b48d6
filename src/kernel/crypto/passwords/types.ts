/** The section `hashers` of the configuration as the hasher reads it. */
export interface HasherSettings {
  algorithm: 'bcrypt' | 'argon2'
  bcrypt: { cost: number }
  argon2: {
    /** bytes */
    memory: number
    iterations: number
    /** lanes; unset means two for each CPU */
    parallelism?: number | undefined
    /** bytes */
    salt_length: number
    /** bytes */
    key_length: number
  }
  /** `--dev` allows bcrypt costs below 12 */
  dev: boolean
}

/** The account and network that work is done for, so that one cannot take the turns of others. */
export interface Share {
  /** normalised; empty where there is no account */
  identifier: string
  /** of the client; empty when unknown, or shared by many people */
  network: string
}

export interface Hasher {
  /**
   * A new hash by the configured algorithm.
   * @throws PasswordTooLong, HashingBusy
   */
  hash(password: string, share?: Share): Promise<string>
  /**
   * Whether the password matches. False for unknown kinds of hashes, after the same work.
   * @throws HashingBusy
   */
  verify(password: string, hash: string, share?: Share): Promise<boolean>
  /** Whether `verify` can ever succeed: a known format with parameters within the bounds. */
  knows(hash: string): boolean
  /** Another algorithm than the configured one, or weaker parameters: replace the hash after a successful login. */
  needsRehash(hash: string): boolean
  /**
   * The work of one `verify`, for an unknown identifier, so that the time does not reveal who is registered.
   * @throws HashingBusy
   */
  dummyVerify(password: string, share?: Share): Promise<void>
}

/** A parsed hash. */
export interface StoredHash {
  family: string
  /**
   * The cost of one comparison, in rounds of bcrypt (2^cost), measured side by side on one machine. After a mismatch the
   * rest up to the configured cost is added, otherwise a quicker answer would reveal that the account exists and how weakly
   * it is protected.
   */
  work: number
  /** weaker than these settings would make it; only asked within the configured family */
  weakerThan?(settings: HasherSettings): boolean
  matches(password: Buffer): Promise<boolean>
}

/** Undefined when the hash is of another family or beyond the bounds. Never throws. */
export type ParseHash = (hash: string, settings: HasherSettings) => StoredHash | undefined

/** bcrypt reads 72 bytes; a longer password would be cut silently. */
export class PasswordTooLong extends Error {
  override readonly name = 'PasswordTooLong'
  readonly maxLength = 72
  /** bytes of UTF-8 */
  readonly actualLength: number
  constructor(actualLength: number) {
    super(`the password has ${actualLength} bytes, bcrypt takes at most 72`)
    this.actualLength = actualLength
  }
}

/** Too many hashes are waiting. Becomes 503 with Retry-After. */
export class HashingBusy extends Error {
  override readonly name = 'HashingBusy'
  readonly retryAfterSeconds = 1
  constructor() {
    super('too many password checks are waiting; try again')
  }
}
