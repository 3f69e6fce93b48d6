import type { Machine } from '../machine.ts'

/** A text that grows, counted as it does. */
export class Output {
  readonly #machine: Machine
  readonly #parts: string[] = []
  #length = 0

  constructor(machine: Machine) {
    this.#machine = machine
  }

  put(...texts: string[]): void {
    for (const text of texts) {
      this.#length += text.length
      this.#machine.spendText(this.#length > this.#machine.limits.size ? this.#length : text.length)
      this.#parts.push(text)
    }
  }

  toString(): string {
    return this.#parts.join('')
  }
}
