import type { Budget } from '../budget.ts'
import { OutOfBudget } from '../errors.ts'
import { Int, typeOf, type Value } from '../values.ts'
import { type Flags, NO_FLAGS } from './flags.ts'
import { format } from './value.ts'

/** Go's own bound of a width or precision. */
const MAX_NUMBER = 1_000_000

/** Go's Sprintf: what does not fit is said in the output, as `%!d(string=x)`, and is no error. */
export function sprintf(template: string, args: readonly Value[], budget: Budget): string {
  return new Printf(template, args, budget).run()
}

class Printf {
  private readonly template: string
  private readonly args: readonly Value[]
  private readonly budget: Budget
  private at = 0
  private arg = 0
  private reordered = false
  private goodIndex = true
  private everReordered = false
  private out = ''

  constructor(template: string, args: readonly Value[], budget: Budget) {
    this.template = template
    this.args = args
    this.budget = budget
  }

  run(): string {
    for (;;) {
      const percent = this.template.indexOf('%', this.at)
      this.add(this.template.slice(this.at, percent < 0 ? undefined : percent))
      if (percent < 0) break
      this.at = percent + 1
      this.directive()
    }
    if (!this.everReordered && this.arg < this.args.length) this.add(this.extra())
    return this.out
  }

  private add(text: string): void {
    this.budget.text(this.out.length + text.length > 4096 ? text.length : 0)
    this.out += text
    if (this.out.length > 4 * MAX_NUMBER) throw new OutOfBudget(`printf writes more than ${4 * MAX_NUMBER} characters`)
  }

  private directive(): void {
    this.budget.step()
    const flags: Flags = { ...NO_FLAGS }
    this.goodIndex = true
    this.reordered = false
    this.readFlags(flags)
    this.index()
    if (this.peek() === '*') this.starWidth(flags)
    else this.number((value) => (flags.width = value))
    if (this.peek() === '.') this.readPrecision(flags)
    this.index()
    const code = this.template.codePointAt(this.at)
    if (code === undefined) return this.add('%!(NOVERB)')
    const verb = String.fromCodePoint(code)
    this.at += verb.length
    if (verb === '%') return this.add('%')
    if (!this.goodIndex) return this.add(`%!${verb}(BADINDEX)`)
    if (this.arg >= this.args.length) return this.add(`%!${verb}(MISSING)`)
    // it means something else for structs, and nothing for the rest
    if (verb === 'v') flags.plus = false
    this.add(format(this.args[this.arg++], verb, flags, this.budget))
  }

  private readFlags(flags: Flags): void {
    for (; ; this.at++) {
      switch (this.peek()) {
        case '+':
          flags.plus = true
          continue
        case '-':
          flags.minus = true
          continue
        case '#':
          flags.sharp = true
          continue
        case ' ':
          flags.space = true
          continue
        case '0':
          flags.zero = true
          continue
      }
      return
    }
  }

  private starWidth(flags: Flags): void {
    this.at++
    const width = this.star()
    if (width === undefined) return this.add('%!(BADWIDTH)')
    flags.width = Math.abs(width)
    if (width < 0) flags.minus = true
  }

  private readPrecision(flags: Flags): void {
    this.at++
    this.index()
    if (this.peek() !== '*') {
      flags.precision = 0
      this.number((value) => (flags.precision = value))
      return
    }
    this.at++
    const precision = this.star()
    if (precision === undefined) this.add('%!(BADPREC)')
    else if (precision < 0) return
    else flags.precision = precision
  }

  private star(): number | undefined {
    const value = this.args[this.arg]
    if (this.arg < this.args.length) this.arg++
    const usable = value instanceof Int && value.n <= MAX_NUMBER && value.n >= -MAX_NUMBER
    return usable ? Number(value.n) : undefined
  }

  private number(set: (value: number) => void): void {
    const found = /^[0-9]+/.exec(this.template.slice(this.at, this.at + 10))
    if (!found) return
    this.at += found[0].length
    const value = Number(found[0])
    if (this.reordered) this.goodIndex = false
    if (value <= MAX_NUMBER) set(value)
  }

  /** `[2]`: the argument that comes next. */
  private index(): void {
    if (this.peek() !== '[') return
    this.reordered = true
    this.everReordered = true
    const end = this.template.indexOf(']', this.at)
    const text = end < 0 ? '' : this.template.slice(this.at + 1, Math.min(end, this.at + 9))
    const index = /^[0-9]+$/.test(text) ? Number(text) - 1 : -1
    this.at = end < 0 ? this.at + 1 : end + 1
    if (index >= 0 && index < this.args.length) this.arg = index
    else this.goodIndex = false
  }

  private extra(): string {
    const rest = this.args.slice(this.arg)
    const texts = rest.map((arg) =>
      arg === null || arg === undefined ? '<nil>' : `${typeOf(arg)}=${format(arg, 'v', NO_FLAGS, this.budget)}`,
    )
    return `%!(EXTRA ${texts.join(', ')})`
  }

  private peek(): string | undefined {
    return this.template[this.at]
  }
}
