import { goBoolean } from '../kernel/base/go-boolean.ts'
import { fieldText } from './form.ts'
import { messages } from './messages.ts'
import { refused } from './refused.ts'
import type { SubmittedForm } from './types.ts'

/** Whether the field of a button has a value, other than one that means no. */
export const mentions = (form: SubmittedForm, name: string): boolean => {
  const text = fieldText(form, name)
  return text !== '' && goBoolean(text) !== false
}

/** Whether the button was pressed. @throws FormRefused for a value that is neither yes nor no */
export function pressed(form: SubmittedForm, name: string): boolean {
  if (!mentions(form, name)) return false
  const text = fieldText(form, name)
  if (!goBoolean(text)) throw refused(messages.wrongType('boolean', text), name)
  return true
}
