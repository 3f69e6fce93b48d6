import { fieldText } from './form.ts'
import { messages } from './messages.ts'
import { refused } from './refused.ts'
import type { SubmittedForm } from './types.ts'
import { isNo, isYes } from './urls.ts'

/** Whether a button without a `method` was pressed, or something stands where it would say so. */
export const mentions = (form: SubmittedForm, name: string): boolean => {
  const text = fieldText(form, name)
  return text !== '' && !isNo(text)
}

/** Whether it was pressed. @throws FormRefused for what is neither yes nor no */
export function pressed(form: SubmittedForm, name: string): boolean {
  if (!mentions(form, name)) return false
  const text = fieldText(form, name)
  if (!isYes(text)) throw refused(messages.wrongType('boolean', text), name)
  return true
}
