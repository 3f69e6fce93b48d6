import type { Message, Templates, Texts } from './types.ts'

const SUBJECTS: Record<Message['type'], string> = {
  recovery_valid: 'Recover access to your account',
  recovery_invalid: 'Account access attempted',
  recovery_code_valid: 'Recover access to your account',
  recovery_code_invalid: 'Account access attempted',
  verification_valid: 'Please verify your email address',
  verification_invalid: 'Someone tried to verify this email address',
  verification_code_valid: 'Please verify your email address',
  verification_code_invalid: 'Someone tried to verify this email address',
  login_code_valid: 'Sign in to your account',
  registration_code_valid: 'Complete your registration',
}

/** Members of the data that a person needs, in the order in which they are shown. */
const SHOWN = [
  'recovery_code',
  'verification_code',
  'login_code',
  'registration_code',
  'recovery_url',
  'verification_url',
]

/** Texts without a template: a heading, then codes and links alone on a line. */
export const plainTexts: Templates = {
  async render({ type, channel, data }: Message): Promise<Texts> {
    const lines = SHOWN.flatMap((name) => (typeof data[name] === 'string' ? [data[name]] : []))
    const subject = SUBJECTS[type]
    return { subject: channel === 'sms' ? '' : subject, body: `${[subject, ...lines].join('\n\n')}\n` }
  },
}
