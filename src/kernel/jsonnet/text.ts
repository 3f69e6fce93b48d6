import type { Machine } from './machine.ts'

/** Positions and lengths count code points. Text without surrogates, nearly all, needs no taking apart. */
function pointsOf(machine: Machine, text: string): readonly string[] | null {
  if (text === machine.lastText) return machine.lastPoints
  machine.spendText(text.length)
  const points = /[\ud800-\udfff]/.test(text) ? [...text] : null
  if (points) machine.spendItems(points.length)
  machine.lastText = text
  machine.lastPoints = points
  return points
}

export function textLength(machine: Machine, text: string): number {
  return pointsOf(machine, text)?.length ?? text.length
}

/** @returns undefined outside of the text */
export function pointAt(machine: Machine, text: string, index: number): string | undefined {
  return (pointsOf(machine, text) ?? text)[index]
}

export function slicePoints(machine: Machine, text: string, from: number, to?: number): string {
  const points = pointsOf(machine, text)
  if (!points) return text.slice(from, to)
  machine.spendItems(Math.max(0, (to ?? points.length) - from))
  return points.slice(from, to).join('')
}

/** All code points, each a text. */
export function splitPoints(machine: Machine, text: string): readonly string[] {
  machine.spendItems(text.length)
  return pointsOf(machine, text) ?? text.split('')
}

/** Order of code points, which is that of UTF-8 but not of UTF-16. */
export function compareText(left: string, right: string): -1 | 0 | 1 {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a !== b) return rank(a) < rank(b) ? -1 : 1
  }
  return left.length === right.length ? 0 : left.length < right.length ? -1 : 1
}

/** Surrogates stand for what lies above all of UTF-16's single units. */
const rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** A text in double quotes, control characters escaped. */
export function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f]/g, (char) => SHORT[char] ?? long(char))}"`
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}
const long = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
