import { messages } from './messages.ts'
import type { FormProblem, UiMessage } from './types.ts'

/** The form has to be shown again, with these messages. */
export class FormRefused extends Error {
  override readonly name: string = 'FormRefused'
  readonly problems: readonly FormProblem[]
  constructor(problems: readonly FormProblem[]) {
    super(problems.map(({ message }) => message.text).join(' '))
    this.problems = problems
  }
}

export const refused = (message: UiMessage, path?: string) =>
  new FormRefused([path === undefined ? { message } : { path, message }])

/** Whether the identifier of a registration belongs to another account. */
export const isTaken = (error: unknown): boolean =>
  error instanceof FormRefused && error.problems.some(({ message }) => message.id === messages.taken.id)
