import { fieldText } from '../../flows/form.ts'
import type { SubmittedForm } from '../../flows/types.ts'
import { CODE_LENGTH } from '../../kernel/crypto/one-time.ts'

/** Longer texts are no code, however they are read. */
const MAX_TEXT = 64

/**
 * The digits of a code as people type or paste it: with blanks or dashes between, words in front, full-width digits,
 * a line break. Undefined for another number of digits, which does not count as a guess.
 */
export function readCode(text: string): string | undefined {
  // Kratos refuses blanks on both sides, and clients may rely on the recorded answer.
  if (text.length > MAX_TEXT || (text.startsWith(' ') && text.endsWith(' '))) return undefined
  const digits = text.normalize('NFKC').replace(/[^0-9]/g, '')
  return digits.length === CODE_LENGTH ? digits : undefined
}

export function submittedCode(form: SubmittedForm): string | undefined {
  const text = fieldText(form, 'code')
  // A JSON number has lost its leading zeros.
  const isNumber = form.kind === 'json' && typeof form.values.code === 'number'
  return readCode(isNumber && /^[0-9]{1,5}$/.test(text) ? text.padStart(CODE_LENGTH, '0') : text)
}
