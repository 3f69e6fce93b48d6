/** Seconds from 0001-01-01 to 1970-01-01, UTC. */
export const EPOCH = 62_135_596_800

export interface Day {
  year: number
  month: number
  day: number
}

/** Days since 1970-01-01 of a date of the Gregorian calendar; months and days beyond their range carry over. */
export function daysOf({ year, month, day }: Day): number {
  const months = month - 1
  const y = year + Math.floor(months / 12)
  const m = months - Math.floor(months / 12) * 12 + 1
  // years begin in March, so that the leap day is their last
  const shifted = m <= 2 ? y - 1 : y
  const era = Math.floor(shifted / 400)
  const ofEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export function dayOf(days: number): Day {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const month = Math.floor((5 * ofYear + 2) / 153)
  const day = ofYear - Math.floor((153 * month + 2) / 5) + 1
  const calendarMonth = month < 10 ? month + 3 : month - 9
  return { year: year + era * 400 + (calendarMonth <= 2 ? 1 : 0), month: calendarMonth, day }
}

export function daysInMonth(year: number, month: number): number {
  return daysOf({ year, month: month + 1, day: 1 }) - daysOf({ year, month, day: 1 })
}
