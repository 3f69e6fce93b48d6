import { OutcomeUnknown } from './errors.ts'

/** The other end is silent; the connection is of no more use. */
export class NoAnswer extends OutcomeUnknown {}

/** @throws NoAnswer after `ms` milliseconds; the answer itself is then ignored */
export async function answerWithin<T>(ms: number, statement: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`${statement}: no answer from the database within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
