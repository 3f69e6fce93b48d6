import { MONTHS, piecesOf, WEEKDAYS } from './layout.ts'
import type { Time } from './time.ts'

/** @see https://pkg.go.dev/time#Time.Format */
export function formatTime(time: Time, layout: string): string {
  const { clock } = time
  const two = (n: number) => String(n).padStart(2, '0')
  return piecesOf(layout)
    .map(({ text, isText }) => (isText ? text : one(text)))
    .join('')

  function one(piece: string): string {
    switch (piece) {
      case '2006':
        return clock.year < 0 ? `-${String(-clock.year).padStart(4, '0')}` : String(clock.year).padStart(4, '0')
      case '06':
        return two(((clock.year % 100) + 100) % 100)
      case 'January':
        return MONTHS[clock.month - 1]!
      case 'Jan':
        return MONTHS[clock.month - 1]!.slice(0, 3)
      case '01':
        return two(clock.month)
      case '1':
        return String(clock.month)
      case 'Monday':
        return WEEKDAYS[clock.weekday]!
      case 'Mon':
        return WEEKDAYS[clock.weekday]!.slice(0, 3)
      case '02':
        return two(clock.day)
      case '2':
        return String(clock.day)
      case '_2':
        return String(clock.day).padStart(2, ' ')
      case '002':
        return String(clock.yearDay).padStart(3, '0')
      case '__2':
        return String(clock.yearDay).padStart(3, ' ')
      case '15':
        return two(clock.hour)
      case '03':
        return two(clock.hour % 12 || 12)
      case '3':
        return String(clock.hour % 12 || 12)
      case '04':
        return two(clock.minute)
      case '4':
        return String(clock.minute)
      case '05':
        return two(clock.second)
      case '5':
        return String(clock.second)
      case 'PM':
        return clock.hour >= 12 ? 'PM' : 'AM'
      case 'pm':
        return clock.hour >= 12 ? 'pm' : 'am'
      case 'MST':
        return time.zone || offset('-0700')
    }
    return piece[0] === '.' || piece[0] === ',' ? fraction(piece) : offset(piece)
  }

  function fraction(piece: string): string {
    const digits = String(time.nanos)
      .padStart(9, '0')
      .padEnd(piece.length - 1, '0')
      .slice(0, piece.length - 1)
    if (piece[1] === '0') return piece[0] + digits
    const kept = digits.replace(/0{1,30}$/, '')
    return kept && piece[0] + kept
  }

  function offset(piece: string): string {
    if (piece[0] === 'Z' && time.offset === 0) return 'Z'
    const size = Math.abs(time.offset)
    const parts = [two(Math.floor(size / 3600)), two(Math.floor(size / 60) % 60), two(size % 60)]
    const colon = piece.includes(':') ? ':' : ''
    const count = (piece.length - 1 - (piece.match(/:/g)?.length ?? 0)) / 2
    return (time.offset < 0 ? '-' : '+') + parts.slice(0, count).join(colon)
  }
}
