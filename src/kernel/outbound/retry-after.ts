const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const IMF = /^[a-z]{3}, (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850 = /^[a-z]{6,9}, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/

/**
 * How long the server asks to wait, in milliseconds: its header holds seconds, or a date in one of the three forms of HTTP.
 * Undefined where it cannot be read; 0 for a past date. Unbounded: the caller has a limit.
 *
 * @param now milliseconds since 1970
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim().toLowerCase() ?? ''
  if (text.length > 40) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = httpDate(text, now)
  return date === undefined ? undefined : Math.max(0, date - now)
}

function httpDate(text: string, now: number): number | undefined {
  const imf = IMF.exec(text)
  if (imf) return utc(imf[3]!, imf[2]!, imf[1]!, imf.slice(4))
  const old = RFC_850.exec(text)
  if (old) return utc(String(fullYear(Number(old[3]), now)), old[2]!, old[1]!, old.slice(4))
  const asc = ASCTIME.exec(text)
  return asc ? utc(asc[6]!, asc[1]!, asc[2]!, asc.slice(3, 6)) : undefined
}

/** A two-digit year that seems to be more than fifty years ahead is in the past. */
function fullYear(digits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + digits
  return year > thisYear + 50 ? year - 100 : year
}

function utc(year: string, month: string, day: string, time: string[]): number | undefined {
  const [hour, minute, second] = time.map(Number)
  const index = MONTHS.indexOf(month)
  if (index < 0 || Number(day) > 31 || hour! > 23 || minute! > 59 || second! > 60) return undefined
  return Date.UTC(Number(year), index, Number(day), hour, minute, second)
}
