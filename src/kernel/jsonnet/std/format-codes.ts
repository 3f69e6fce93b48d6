import type { Location } from '../errors.ts'
import type { Machine } from '../machine.ts'

/** One code of a format: `%(key)-08.3f`. */
export interface Code {
  key: string | undefined
  /** `#` */
  alternate: boolean
  /** `0` */
  zero: boolean
  /** `-` */
  left: boolean
  /** a space */
  blank: boolean
  /** `+` */
  plus: boolean
  width: number | '*' | undefined
  precision: number | '*' | undefined
  type: 'd' | 'o' | 'x' | 'e' | 'f' | 'g' | 'c' | 's' | '%'
  capitals: boolean
}

const CODE = /(?:\(([^)]*)\))?([#0\- +]*)(\*|[0-9]*)(?:\.(\*|[0-9]*))?[hlL]?(.)?/suy
const TYPES = 'diuoxXeEfFgGcs%'

/** @returns what stands between the codes, and the codes */
export function parseFormat(machine: Machine, text: string, location?: Location): (string | Code)[] {
  machine.spendText(text.length)
  const parts: (string | Code)[] = []
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf('%', at)
    const end = percent === -1 ? text.length : percent
    if (end > at) parts.push(text.slice(at, end))
    if (percent === -1) break
    CODE.lastIndex = percent + 1
    const [whole, key, flags, width, precision, type] = CODE.exec(text)!
    // a bracket that is open to the end is no key
    if (type === undefined || (key === undefined && text[percent + 1] === '('))
      throw machine.fail('Truncated format code.', location)
    if (!TYPES.includes(type)) throw machine.fail(`Unrecognised conversion type: ${type}`, location)
    machine.spend(4)
    parts.push(code(key, flags!, width!, precision, type))
    at = percent + 1 + whole.length
  }
  return parts
}

function code(
  key: string | undefined,
  flags: string,
  width: string,
  precision: string | undefined,
  type: string,
): Code {
  const lower = type === 'i' || type === 'u' ? 'd' : type.toLowerCase()
  return {
    key,
    alternate: flags.includes('#'),
    zero: flags.includes('0'),
    left: flags.includes('-'),
    blank: flags.includes(' '),
    plus: flags.includes('+'),
    width: width === '*' ? '*' : Number(width),
    precision: precision === undefined ? undefined : precision === '*' ? '*' : Number(precision),
    type: lower as Code['type'],
    capitals: type !== type.toLowerCase(),
  }
}
