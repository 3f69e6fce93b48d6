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

/**
 * Around every statement, so without `Promise.race`, which made more objects than the statement's own result.
 * @throws NoAnswer after `ms` milliseconds; the answer itself is then ignored
 */
export function answerWithin<T>(ms: number, statement: string, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startDeadline(ms, () => {
      reject(new NoAnswer(`${statement}: no answer from the database within ${ms} ms`, answer))
    })
    answer.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error) => {
        stop()
        reject(error)
      },
    )
  })
}
