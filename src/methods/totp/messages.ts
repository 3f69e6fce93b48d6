import { error, info } from '../../flows/messages.ts'

/** @see https://www.ory.com/docs/kratos/concepts/ui-user-interface */
export const totpMessages = {
  code: info(1010006, 'Authentication code'),
  use: info(1010009, 'Use Authenticator'),
  unlink: info(1050004, 'Unlink TOTP Authenticator App'),
  picture: info(1050005, 'Authenticator app QR code'),
  secret: (secret: string) => ({ ...info(1050006, secret), context: { secret } }),
  secretLabel: info(1050017, 'This is your authenticator app secret. Use it if you can not scan the QR code.'),
  verify: info(1070006, 'Verify code'),
  notLinked: error(4000011, 'You have no TOTP device set up.'),
}
