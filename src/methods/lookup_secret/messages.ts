import { error, info } from '../../flows/messages.ts'
import type { UiMessage } from '../../flows/types.ts'
import type { RecoveryCode } from './codes.ts'

/** As Go prints a time. */
const goTime = (time: string) => time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' +0000 UTC')

function secret({ code, used_at: usedAt }: RecoveryCode): UiMessage {
  if (usedAt === null) return { ...info(1050009, code), context: { secret: code } }
  const context = { used_at: usedAt, used_at_unix: Math.floor(Date.parse(usedAt) / 1000) || 0 }
  return { ...info(1050014, `Secret was used at ${goTime(usedAt)}`), context }
}

/** @see https://www.ory.com/docs/kratos/concepts/ui-user-interface */
export const lookupMessages = {
  code: info(1010007, 'Backup recovery code'),
  use: info(1010010, 'Use backup recovery code'),
  reveal: info(1050007, 'Reveal backup recovery codes'),
  regenerate: info(1050008, 'Generate new backup recovery codes'),
  label: info(1050010, 'These are your back up recovery codes. Please keep them in a safe place!'),
  confirm: info(1050011, 'Confirm backup recovery codes'),
  list: (codes: readonly RecoveryCode[]): UiMessage => ({
    ...info(1050015, codes.map(({ code, used_at }) => (used_at === null ? code : 'used')).join(', ')),
    context: { secrets: codes.map((code) => ({ ...secret(code) })) },
  }),
  disable: info(1050016, 'Disable this method'),
  usedBefore: error(4000012, 'This backup recovery code has already been used.'),
  none: error(4000014, 'You have no backup recovery codes set up.'),
  wrong: error(4000016, 'The backup recovery code is not valid.'),
}
