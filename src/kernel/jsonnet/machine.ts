import { JsonnetError, type Location } from './errors.ts'

/** Limits of one evaluation. All are counted, none is timed: the same program always ends the same way. */
export interface Limits {
  /** units of work: about one for each expression evaluated, element copied or 16 characters moved */
  steps: number
  /** nested calls, fields and delayed values */
  frames: number
  /** elements of one array, and UTF-16 units of one text */
  size: number
}

export const DEFAULT_LIMITS: Limits = { steps: 200_000, frames: 500, size: 1_000_000 }

/** Nested calls of JavaScript. A stack of 984 KiB, the default, was measured to hold 7,000 of the largest ones. */
const MAX_CALLS = 4000

/** Keeps an evaluation within its limits. */
export class Machine {
  readonly limits: Limits
  /** a tail call, left to the caller of the function that returned: see `tailstrict` in calls.ts */
  tail: unknown
  /** the text that was last taken apart, see text.ts */
  lastText = ''
  lastPoints: readonly string[] | null = null
  #steps: number
  #frames = 0
  #calls = 0

  constructor(limits: Limits) {
    this.limits = limits
    this.#steps = limits.steps
  }

  /** @throws JsonnetError when the work is used up */
  spend(steps: number): void {
    this.#steps -= steps
    if (this.#steps < 0)
      throw new JsonnetError('budget', `the program takes more than ${this.limits.steps} steps: it does too much work`)
  }

  /** Before an array of so many elements is made. */
  spendItems(count: number): void {
    if (count > this.limits.size)
      throw new JsonnetError('budget', `an array would have more than ${this.limits.size} elements`)
    this.spend(count)
  }

  /** Before a text of so many UTF-16 units is made or walked over. */
  spendText(units: number): void {
    if (units > this.limits.size)
      throw new JsonnetError('budget', `a string would have more than ${this.limits.size} characters`)
    this.spend(units >> 4)
  }

  /** Before a body is run. @param height how many calls of JavaScript the body takes at most */
  enter(height: number, frames = 1): void {
    this.#frames += frames
    this.#calls += height + 3
    this.spend(1)
    if (this.#frames > this.limits.frames || this.#calls > MAX_CALLS)
      throw new JsonnetError('budget', 'max stack frames exceeded.')
  }

  /** Not called when a body throws: nothing catches, so the evaluation is over. */
  leave(height: number, frames = 1): void {
    this.#frames -= frames
    this.#calls -= height + 3
  }

  fail(reason: string, location?: Location): JsonnetError {
    return new JsonnetError('runtime', reason, location)
  }
}
