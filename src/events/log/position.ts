import { badRequest } from '../../kernel/http/errors.ts'

/** A position in the log, as clients hold it. With its epoch: sequence numbers repeat when a database has lost its last ones. */
export interface Position {
  /** undefined: a number alone, as earlier releases gave it and as people type it; it means the present log */
  epoch: string | undefined
  seq: number
}

/** `0f5f8a5e.4711` */
export function formatPosition({ epoch, seq }: Position): string {
  return epoch === undefined ? String(seq) : `${epoch}.${seq}`
}

/** @param name of the parameter or header, for the error @throws HttpError 400 */
export function parsePosition(text: string, name: string): Position {
  const [, epoch, digits] = /^(?:([0-9a-f]{8})\.)?(\d{1,16})$/.exec(text) ?? []
  const seq = Number(digits)
  if (!Number.isSafeInteger(seq)) {
    throw badRequest(
      `"${name}" must be a position in the log as this server gives them out, such as 0f5f8a5e.4711, or a whole number.`,
    )
  }
  return { epoch, seq }
}

/** A position in this log: its epoch is known, and so is the order. */
export interface LogPosition extends Position {
  epoch: string
  /** counts the epochs */
  number: number
}

export function isAfter(a: LogPosition, b: LogPosition): boolean {
  return a.number === b.number ? a.seq > b.seq : a.number > b.number
}

export const laterOf = (a: LogPosition, b: LogPosition): LogPosition => (isAfter(b, a) ? b : a)
