import type { TemplateType } from '../types.ts'
import type { Part } from './kinds.ts'

/** The texts of a message. Each is a template; none holds input of the person who asks, who may be an attacker. */
interface Wording {
  subject: string
  /** The reason for the message. */
  lead: string
  /** The member that holds a code or a link; it stands alone on its line. */
  code?: string
  link?: string
  /** lists what has changed */
  changes?: true
  /** What to do about it. */
  after: string
}

const IGNORE = 'If it was not you, you can ignore this message. Do not pass it on to anyone.'
const MINUTES = '{{ .ExpiresInMinutes }} minute{{ if ne .ExpiresInMinutes 1 }}s{{ end }}'

const WORDINGS: Record<TemplateType, Wording> = {
  recovery_code_valid: {
    subject: '{{ .RecoveryCode }} is your code to recover your account',
    lead: 'Someone asked to recover the account that belongs to this address. To go on, enter this code:',
    code: 'RecoveryCode',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  recovery_code_invalid: unknownAddress('recover an account'),
  recovery_valid: {
    subject: 'Recover your account',
    lead: 'Someone asked to recover the account that belongs to this address. To go on, open this link:',
    link: 'RecoveryURL',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  recovery_invalid: unknownAddress('recover an account'),
  verification_code_valid: {
    subject: '{{ .VerificationCode }} is your code to confirm your address',
    lead: 'To confirm that this address is yours, enter this code:',
    code: 'VerificationCode',
    link: 'VerificationURL',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  verification_code_invalid: unknownAddress('confirm this address'),
  verification_valid: {
    subject: 'Confirm your address',
    lead: 'To confirm that this address is yours, open this link:',
    link: 'VerificationURL',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  verification_invalid: unknownAddress('confirm this address'),
  login_code_valid: {
    subject: '{{ .LoginCode }} is your code to sign in',
    lead: 'To sign in, enter this code:',
    code: 'LoginCode',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  registration_code_valid: {
    subject: '{{ .RegistrationCode }} is your code to create your account',
    lead: 'To create your account, enter this code:',
    code: 'RegistrationCode',
    after: `It is valid for ${MINUTES}. ${IGNORE}`,
  },
  // It has no link: one to a page where people sign in would teach them to follow such links.
  account_changed_valid: {
    subject: 'Your account was changed',
    lead: 'On {{ .ChangedAt }} this was changed in your account:',
    changes: true,
    after:
      'If it was you, there is nothing to do. If not, recover your account now, and tell those who run the service.',
  },
}

function unknownAddress(what: string): Wording {
  return {
    subject: 'No account has this address',
    lead: `Someone tried to ${what} with this address, and no account has it.`,
    after: 'If it was you, try another address of yours. If it was not you, you can ignore this message.',
  }
}

/** The text of a part for which the operator has none. */
export function builtinSource(type: TemplateType, part: Part): string {
  const wording = WORDINGS[type]
  switch (part) {
    case 'subject':
      return wording.subject
    case 'plaintext':
      return plaintext(type, wording)
    case 'html':
      return html(wording)
    case 'sms':
      return sms(type, wording)
  }
}

const CHANGE =
  '{{ if eq . "address" }}an address{{ else if eq . "password" }}the password' +
  '{{ else if eq . "factor" }}a second factor, a security key or a passkey{{ else }}a linked account of another service{{ end }}'

function plaintext(type: TemplateType, { lead, code, link, changes, after }: Wording): string {
  const parts = [lead]
  if (changes)
    parts.push(`{{ range $i, $_ := .Changes }}{{ if $i }}\n{{ end }}- {{ with $_ }}${CHANGE}{{ end }}{{ end }}`)
  if (code) parts.push(`{{ .${code} }}`)
  if (link) parts.push(code ? `or open this link:\n\n{{ .${link} }}` : `{{ .${link} }}`)
  // a link to the form, in case the person has closed the page that asked for the code
  if (type === 'recovery_code_valid') parts.push('{{ with .RecoveryURL }}The page to enter it:\n\n{{ . }}\n\n{{ end }}')
  return `${[...parts, after].join('\n\n')}\n`.replace('{{ end }}\n\n', '{{ end }}')
}

/** Ends in the form that lets a browser fill in the code on the site that it is for, and on no other. */
function sms(type: TemplateType, { subject, code, changes, after }: Wording): string {
  if (changes)
    return `${subject} on {{ .ChangedAt }}: {{ range $i, $_ := .Changes }}{{ if $i }}, {{ end }}{{ with $_ }}${CHANGE}{{ end }}{{ end }}. ${after}\n`
  const text = `${subject}. It is valid for ${MINUTES}.`
  return type === 'recovery_code_valid' ? `${text}\n\n@{{ .RequestURLDomain }} #{{ .${code} }}\n` : `${text}\n`
}

function html({ subject, lead, code, link, changes, after }: Wording): string {
  const shown = code
    ? `<p style="margin:24px 0;font:700 28px/1.3 monospace;letter-spacing:4px">{{ .${code} }}</p>\n`
    : ''
  const way = link
    ? `${code ? '<p>Or open this link:</p>\n' : ''}<p><a href="{{ .${link} }}">{{ .${link} }}</a></p>\n`
    : ''
  const list = changes ? `<ul>\n{{ range .Changes }}<li>${CHANGE}</li>\n{{ end }}</ul>\n` : ''
  const page =
    code === 'RecoveryCode' ? '{{ with .RecoveryURL }}<p><a href="{{ . }}">The page to enter it</a></p>\n{{ end }}' : ''
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${subject}</title>
</head>
<body style="margin:0 auto;padding:24px;max-width:560px;font:16px/1.5 sans-serif;overflow-wrap:anywhere">
<p>${lead}</p>
${shown}${way}${list}${page}<p>${after}</p>
</body>
</html>
`
}
