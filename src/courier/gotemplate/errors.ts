/** Where in which template something is wrong; lines count from 1. */
export interface Location {
  template: string
  line: number
}

/** A template that cannot be rendered: its own fault or that of the data, never of this program. */
export class TemplateError extends Error {
  readonly template: string
  readonly line: number

  constructor(location: Location, reason: string) {
    super(`${location.template}:${location.line}: ${reason}`)
    this.name = 'TemplateError'
    this.template = location.template
    this.line = location.line
  }
}

/** The text is not a template: known before any data is there. */
export class ParseError extends TemplateError {
  readonly kind = 'parse'
}

/** It cannot be carried out: a member that is not there, a wrong type, a place where HTML cannot be escaped. */
export class ExecError extends TemplateError {
  readonly kind = 'exec'
}

/** It would take more time or memory than a message may. */
export class LimitError extends TemplateError {}

/** Why a function could not answer; it becomes an ExecError with the place of the call. */
export class FunctionError extends Error {}

/** A bound was reached; it becomes a LimitError with the place that was carried out then. */
export class OutOfBudget extends Error {}
