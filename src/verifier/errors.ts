export type RejectionCode =
  /** not a signed token of this kind */
  | 'malformed'
  /** signed by a key that the key set does not have */
  | 'unknown_key'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'wrong_issuer'
  | 'wrong_audience'
  /** the session that it speaks for has ended */
  | 'session_ended'
  /** the identity was disabled or deleted after it was made */
  | 'identity_ended'
  /** the list of ended sessions could not be read for too long */
  | 'stale'

/** A token that must be refused. `code` says why. */
export class TokenRejected extends Error {
  override readonly name = 'TokenRejected'
  readonly code: RejectionCode
  constructor(code: RejectionCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
