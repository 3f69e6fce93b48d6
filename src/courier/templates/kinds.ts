import type { Channel, TemplateType } from '../types.ts'

/** The texts that a message is made of. */
export const PARTS = ['subject', 'plaintext', 'html', 'sms'] as const
export type Part = (typeof PARTS)[number]

/** A message that has texts, and the channels that it goes by. */
export interface Kind {
  type: TemplateType
  channels: readonly Channel[]
  /** its key below `courier.templates`, and the folder of its files: `recovery_code`, `valid` */
  name: string
  outcome: 'valid' | 'invalid'
}

const BOTH: readonly Channel[] = ['email', 'sms']
const MAIL: readonly Channel[] = ['email']

const kind = (name: string, outcome: Kind['outcome'], channels: readonly Channel[]): Kind => ({
  type: `${name}_${outcome}` as TemplateType,
  channels,
  name,
  outcome,
})

export const KINDS: readonly Kind[] = [
  kind('recovery_code', 'valid', BOTH),
  kind('recovery_code', 'invalid', MAIL),
  kind('recovery', 'valid', MAIL),
  kind('recovery', 'invalid', MAIL),
  kind('verification_code', 'valid', BOTH),
  kind('verification_code', 'invalid', MAIL),
  kind('verification', 'valid', MAIL),
  kind('verification', 'invalid', MAIL),
  kind('login_code', 'valid', BOTH),
  kind('registration_code', 'valid', BOTH),
  kind('account_changed', 'valid', BOTH),
]

/** Where an operator's own text of a part may stand. */
export const PLACES: Record<Part, { key: string; file: string; pattern: string }> = {
  subject: { key: 'email.subject', file: 'email.subject.gotmpl', pattern: 'email.subject' },
  plaintext: { key: 'email.body.plaintext', file: 'email.body.plaintext.gotmpl', pattern: 'email.body.plaintext' },
  // takes the plain texts in too, as in Kratos
  html: { key: 'email.body.html', file: 'email.body.gotmpl', pattern: 'email.body' },
  sms: { key: 'sms.body.plaintext', file: 'sms.body.gotmpl', pattern: 'sms.body' },
}

/** The parts that a kind has. */
export function partsOf({ channels }: Kind): readonly Part[] {
  return PARTS.filter((part) => channels.includes(part === 'sms' ? 'sms' : 'email'))
}
