import { FunctionError } from '../errors.ts'
import { decimalInteger } from '../functions/numbers.ts'
import { type Func, func, type Runtime } from '../functions/signature.ts'
import { Int, type Value } from '../values.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { parseTime } from './parse.ts'
import { Time } from './time.ts'

const SECOND = 1_000_000_000n

const dateModify = func('string, time', ([by, time]: readonly [string, Time]) => time.plus(parseDuration(by)))

/** @see https://masterminds.github.io/sprig/date.html */
export const TIMES: Record<string, Func> = {
  toDate: func('string, string', ([layout, text]: readonly [string, string]) =>
    orElse(() => parseTime(layout, text), Time.zero()),
  ),
  mustToDate: func('string, string', ([layout, text]: readonly [string, string]) => parseTime(layout, text)),
  mustDateModify: dateModify,
  must_date_modify: dateModify,
  unixEpoch: func('time', ([time]: readonly [Time]) => String(time.seconds)),
  duration: func('any', ([value]) => formatDuration(BigInt.asIntN(64, secondsOf(value) * SECOND))),
  durationRound: func('any', ([value], runtime) => roundest(nanosOf(value, runtime))),
  ago: func('any', ([value], runtime) => {
    const time = value instanceof Int ? new Time(Number(value.n)) : value
    const nanos = time instanceof Time ? since(time, runtime) : 0n
    const half = nanos < 0n ? -SECOND / 2n : SECOND / 2n
    return formatDuration(((nanos + half) / SECOND) * SECOND)
  }),
}

function secondsOf(value: Value): bigint {
  if (typeof value === 'string') return decimalInteger(value) ?? 0n
  return value instanceof Int && value.type === 'int64' ? value.n : 0n
}

function nanosOf(value: Value, runtime: Runtime): bigint {
  if (typeof value === 'string') return orElse(() => parseDuration(value), 0n)
  if (value instanceof Time) return since(value, runtime)
  return value instanceof Int && value.type === 'int64' ? value.n : 0n
}

function since(time: Time, { now }: Runtime): bigint {
  return BigInt(Math.floor(now())) * 1_000_000n - BigInt(time.seconds) * SECOND - BigInt(time.nanos)
}

/** The largest unit that fits, cut: `2h`, `3mo`. */
function roundest(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos
  const hour = 3600n * SECOND
  const units = [
    ['y', hour * 8760n],
    ['mo', hour * 720n],
    ['d', hour * 24n],
    ['h', hour],
    ['m', 60n * SECOND],
    ['s', SECOND],
  ] as const
  const unit = units.find(([, length]) => size > length)
  return unit ? `${size / unit[1]}${unit[0]}` : '0s'
}

function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FunctionError) return otherwise
    throw error
  }
}
