import { fieldText } from '../../flows/form.ts'
import type { SubmittedForm } from '../../flows/types.ts'
import { CODE_LENGTH } from '../../kernel/crypto/one-time.ts'

/** Longer texts are no code, however they are read. */
const MAX_TEXT = 64

/**
 * The digits of a code as people bring it along: with blanks or dashes between, words in front, in full-width digits, with
 * the end of the line. Undefined for what has another number of digits, which is no guess either.
 */
export function readCode(text: string): string | undefined {
  // Kratos refuses blanks on both sides, and clients may rely on an answer that is recorded.
  if (text.length > MAX_TEXT || (text.startsWith(' ') && text.endsWith(' '))) return undefined
  const digits = text.normalize('NFKC').replace(/[^0-9]/g, '')
  return digits.length === CODE_LENGTH ? digits : undefined
}

export function submittedCode(form: SubmittedForm): string | undefined {
  const text = fieldText(form, 'code')
  // A number of JSON has lost its leading zeros.
  const isNumber = form.kind === 'json' && typeof form.values.code === 'number'
  return readCode(isNumber && /^[0-9]{1,5}$/.test(text) ? text.padStart(CODE_LENGTH, '0') : text)
}
