import { OutOfBudget } from './errors.ts'

/** Limits of one rendering. A mail of 100 kB with a table of 1,000 rows takes a twentieth of the steps. */
const MAX_STEPS = 1_000_000
const MAX_CHARACTERS = 32 * 1024 * 1024
/** Of one text and of the whole output. Mail servers refuse far smaller ones. */
export const MAX_TEXT = 4 * 1024 * 1024
/**
 * Of regular expressions, in milliseconds. A search may scan the whole rest of a text for each match, so that steps do
 * not measure its cost: 64 kB took seconds. A mail takes less than one.
 */
const MAX_SEARCH = 400
/** Lists and maps inside each other, as far as they are printed, copied, compared or read. */
const MAX_DEPTH = 500

/** Counts what a rendering uses, so that it ends whatever the template and the data are. */
export class Budget {
  private steps = MAX_STEPS
  private characters = MAX_CHARACTERS
  private searching = 0
  private depth = 0

  /** Asked before each loop or node: `count` is the work that comes. */
  step(count = 1): void {
    this.steps -= count
    if (!(this.steps >= 0)) throw new OutOfBudget(`more than ${MAX_STEPS} steps`)
  }

  /** Asked before a text of so many characters is made. */
  text(length: number): void {
    if (!(length <= MAX_TEXT)) throw new OutOfBudget(`a text longer than ${MAX_TEXT} characters`)
    this.characters -= length
    if (this.characters < 0) throw new OutOfBudget(`more than ${MAX_CHARACTERS} characters in all`)
  }

  /** What searching by regular expressions has taken, in milliseconds of processor time. */
  search(milliseconds: number): void {
    this.searching += milliseconds
    if (this.searching > MAX_SEARCH) throw new OutOfBudget('regular expressions take too long')
  }

  /** Goes one level down in nested data. */
  nested<T>(inside: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new OutOfBudget(`data nested deeper than ${MAX_DEPTH}`)
    try {
      return inside()
    } finally {
      this.depth--
    }
  }
}
