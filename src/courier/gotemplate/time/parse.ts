import { FunctionError } from '../errors.ts'
import { daysInMonth } from './calendar.ts'
import { MONTHS, piecesOf, WEEKDAYS } from './layout.ts'
import { Time } from './time.ts'

interface Fields {
  year: number
  month?: number
  day?: number
  yearDay?: number
  hour: number
  minute: number
  second: number
  nanos: number
  afternoon?: boolean
  offset?: number
  zone?: string
}

/**
 * Reads a time by a layout; without a zone it is UTC.
 *
 * @throws FunctionError
 * @see https://pkg.go.dev/time#Parse
 */
export function parseTime(layout: string, value: string): Time {
  const fields: Fields = { year: 0, hour: 0, minute: 0, second: 0, nanos: 0 }
  const pieces = piecesOf(layout)
  let rest = value
  for (const [i, { text, isText }] of pieces.entries()) {
    if (isText) rest = literal(text, rest)
    else {
      const next = pieces[i + 1]
      rest = read(fields, text, rest, next !== undefined && !next.isText && /^[.,]/.test(next.text))
    }
  }
  if (rest !== '') refuse(`${JSON.stringify(rest.slice(0, 40))} is left over`)
  return timeOf(fields)
}

/** Blanks of the layout stand for any number of blanks. */
function literal(text: string, value: string): string {
  let [i, j] = [0, 0]
  while (i < text.length) {
    if (text[i] !== ' ') {
      if (text[i] !== value[j]) refuse(`expected ${JSON.stringify(text[i])}`)
      i++
      j++
      continue
    }
    if (j < value.length && value[j] !== ' ') refuse('expected a blank')
    while (text[i] === ' ') i++
    while (value[j] === ' ') j++
  }
  return value.slice(j)
}

function read(fields: Fields, piece: string, value: string, fractionFollows: boolean): string {
  const take = (pattern: RegExp): string => pattern.exec(value)?.[0] ?? refuse(`expected ${piece}`)
  const number = (pattern: RegExp, low: number, high: number): number => {
    const n = Number(take(pattern))
    if (n < low || n > high) refuse(`${n} is out of range`)
    return n
  }
  const after = (pattern: RegExp) => value.slice(take(pattern).length)
  const [one, two] = [/^[0-9]{1,2}/, /^[0-9]{2}/]
  switch (piece) {
    case '2006':
      fields.year = number(/^[0-9]{4}/, 0, 9999)
      return value.slice(4)
    case '06': {
      const year = number(two, 0, 99)
      fields.year = year >= 69 ? year + 1900 : year + 2000
      return value.slice(2)
    }
    case 'January':
    case 'Jan':
      return named(MONTHS, piece === 'Jan', value, (i) => (fields.month = i + 1))
    case 'Monday':
    case 'Mon':
      return named(WEEKDAYS, piece === 'Mon', value, () => undefined)
    case '01':
    case '1':
      fields.month = number(piece === '1' ? one : two, 1, 12)
      return after(piece === '1' ? one : two)
    case '02':
      fields.day = number(two, 0, 99)
      return value.slice(2)
    case '2':
    case '_2': {
      const padded = /^ ?[0-9]{1,2}/
      fields.day = number(piece === '2' ? one : padded, 0, 99)
      return after(piece === '2' ? one : padded)
    }
    case '002':
    case '__2':
      fields.yearDay = number(piece === '002' ? /^[0-9]{3}/ : /^(?: {2}[0-9]| [0-9]{2}|[0-9]{3})/, 1, 366)
      return value.slice(3)
    case '15':
      fields.hour = number(two, 0, 23)
      return value.slice(2)
    case '03':
    case '3':
      fields.hour = number(piece === '3' ? one : two, 0, 12)
      return after(piece === '3' ? one : two)
    case '04':
    case '4':
      fields.minute = number(piece === '4' ? one : two, 0, 59)
      return after(piece === '4' ? one : two)
    case '05':
    case '5': {
      fields.second = number(piece === '5' ? one : two, 0, 59)
      const rest = after(piece === '5' ? one : two)
      // a fraction of a second is taken even where the layout has none
      const fraction = fractionFollows ? null : /^[.,][0-9]+/.exec(rest)
      if (fraction) fields.nanos = nanosOf(fraction[0])
      return rest.slice(fraction?.[0].length ?? 0)
    }
    case 'PM':
    case 'pm': {
      const half = take(piece === 'PM' ? /^[AP]M/ : /^[ap]m/)
      fields.afternoon = half.toUpperCase() === 'PM'
      return value.slice(2)
    }
    case 'MST':
      return zoneName(fields, value)
  }
  return /^[.,]/.test(piece) ? fractionOf(fields, piece, value) : zoneOffset(fields, piece, value)
}

function named(names: readonly string[], isShort: boolean, value: string, found: (index: number) => void): string {
  for (const [i, name] of names.entries()) {
    const wanted = isShort ? name.slice(0, 3) : name
    if (value.slice(0, wanted.length).toLowerCase() !== wanted.toLowerCase()) continue
    found(i)
    return value.slice(wanted.length)
  }
  return refuse('expected a name')
}

function fractionOf(fields: Fields, piece: string, value: string): string {
  if (piece[1] === '9') {
    const found = /^[.,][0-9]+/.exec(value)
    if (found) fields.nanos = nanosOf(found[0])
    return value.slice(found?.[0].length ?? 0)
  }
  const text = value.slice(0, piece.length)
  if (text.length < piece.length || !/^[.,][0-9]+$/.test(text)) refuse('expected a fraction of a second')
  fields.nanos = nanosOf(text)
  return value.slice(piece.length)
}

function nanosOf(fraction: string): number {
  return Number(fraction.slice(1, 10).padEnd(9, '0'))
}

function zoneOffset(fields: Fields, piece: string, value: string): string {
  if (piece[0] === 'Z' && value[0] === 'Z') {
    fields.offset = 0
    fields.zone = 'UTC'
    return value.slice(1)
  }
  const shape = piece.slice(1).replace(/07|00/g, '([0-9]{2})')
  const found = new RegExp(`^([-+])${shape}`).exec(value)
  if (!found) return refuse(`expected an offset like ${piece}`)
  const [whole, sign, hours = '0', minutes = '0', seconds = '0'] = found
  if (Number(hours) > 24 || Number(minutes) > 60 || Number(seconds) > 60) refuse('the offset is out of range')
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  fields.offset = sign === '-' && offset !== 0 ? -offset : offset
  fields.zone = offset === 0 ? 'UTC' : ''
  return value.slice(whole.length)
}

function zoneName(fields: Fields, value: string): string {
  const name = /^(?:UTC|GMT(?:[-+][0-9]{1,2})?|ChST|MeST|[A-Z]{3,5})/.exec(value)?.[0]
  if (!name) return refuse('expected the name of a zone')
  const hours = /^GMT([-+][0-9]{1,2})$/.exec(name)?.[1]
  fields.zone = name
  fields.offset ??= hours ? Number(hours) * 3600 : 0
  return value.slice(name.length)
}

function timeOf(fields: Fields): Time {
  const { year, yearDay, minute, second, nanos, offset = 0, zone = 'UTC' } = fields
  let { month = 1, day = 1, hour } = fields
  if (fields.afternoon && hour < 12) hour += 12
  if (fields.afternoon === false && hour === 12) hour = 0
  if (yearDay !== undefined) [month, day] = [1, yearDay]
  else if (day < 1 || day > daysInMonth(year, month)) refuse(`day ${day} is out of range`)
  return Time.at({ year, month, day, hour, minute, second }, nanos, offset, zone)
}

function refuse(reason: string): never {
  throw new FunctionError(`not a time of that layout: ${reason}`)
}
