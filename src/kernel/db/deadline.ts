import { startDeadline } from '../base/running-clock.ts'
import { OutcomeUnknown } from './client.ts'

/** The other end is silent. */
export class NoAnswer extends OutcomeUnknown {
  /** the answer that was late; it may still come */
  readonly answer: Promise<unknown>
  constructor(message: string, answer: Promise<unknown>) {
    super(message)
    this.answer = answer
  }
}

/** @throws NoAnswer after `ms` milliseconds; the answer itself is then ignored */
export async function answerWithin<T>(ms: number, statement: string, answer: Promise<T>): Promise<T> {
  let stop = () => {}
  const late = new Promise<never>((_, reject) => {
    const message = `${statement}: no answer from the database within ${ms} ms`
    stop = startDeadline(ms, () => reject(new NoAnswer(message, answer)))
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    stop()
  }
}
