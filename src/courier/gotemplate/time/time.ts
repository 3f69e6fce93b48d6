import { Int, type Method, Thing, type Value } from '../values.ts'
import { dayOf, daysOf, EPOCH } from './calendar.ts'
import { formatTime } from './format.ts'

export interface Clock {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

/** An instant as it is shown in one place. */
export class Time extends Thing {
  readonly type = 'time.Time'
  /** Since 1970. */
  readonly seconds: number
  readonly nanos: number
  /** Seconds east of UTC. */
  readonly offset: number
  readonly zone: string

  constructor(seconds: number, nanos = 0, offset = 0, zone = 'UTC') {
    super()
    this.seconds = seconds
    this.nanos = nanos
    this.offset = offset
    this.zone = zone
  }

  static zero(): Time {
    return new Time(-EPOCH)
  }

  static at({ year, month, day, hour, minute, second }: Clock, nanos: number, offset: number, zone: string): Time {
    const local = daysOf({ year, month, day }) * 86_400 + hour * 3600 + minute * 60 + second
    return new Time(local - offset, nanos, offset, zone)
  }

  /** @param nanos any number of them, also negative */
  plus(nanos: bigint): Time {
    const total = BigInt(this.nanos) + nanos
    const rest = ((total % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
    const seconds = this.seconds + Number((total - rest) / 1_000_000_000n)
    return new Time(seconds, Number(rest), this.offset, this.zone)
  }

  get clock(): Clock & { weekday: number; yearDay: number } {
    const local = this.seconds + this.offset
    const days = Math.floor(local / 86_400)
    const rest = local - days * 86_400
    const date = dayOf(days)
    return {
      ...date,
      hour: Math.floor(rest / 3600),
      minute: Math.floor(rest / 60) % 60,
      second: rest % 60,
      weekday: (((days + 4) % 7) + 7) % 7,
      yearDay: days - daysOf({ year: date.year, month: 1, day: 1 }) + 1,
    }
  }

  text(): string {
    return formatTime(this, '2006-01-02 15:04:05.999999999 -0700 MST')
  }

  override json(): string {
    return formatTime(this, '2006-01-02T15:04:05.999999999Z07:00')
  }

  method(name: string): Method | undefined {
    const property = this.property(name)
    if (property !== undefined) return { params: [], call: () => property }
    switch (name) {
      case 'Format':
        return { params: ['string'], call: ([layout]) => formatTime(this, String(layout)) }
      case 'AddDate':
        return { params: ['int', 'int', 'int'], call: (args) => this.addDate(args as readonly Int[]) }
      case 'Equal':
        return this.compared((order) => order === 0)
      case 'Before':
        return this.compared((order) => order < 0)
      case 'After':
        return this.compared((order) => order > 0)
    }
    return undefined
  }

  private property(name: string): Value {
    const { clock } = this
    switch (name) {
      case 'Year':
        return new Int(clock.year)
      case 'Month':
        return new Int(clock.month, 'time.Month')
      case 'Day':
        return new Int(clock.day)
      case 'Weekday':
        return new Int(clock.weekday, 'time.Weekday')
      case 'YearDay':
        return new Int(clock.yearDay)
      case 'Hour':
        return new Int(clock.hour)
      case 'Minute':
        return new Int(clock.minute)
      case 'Second':
        return new Int(clock.second)
      case 'Nanosecond':
        return new Int(this.nanos)
      case 'Unix':
        return new Int(this.seconds, 'int64')
      case 'UnixMilli':
        return new Int(BigInt(this.seconds) * 1000n + BigInt(Math.floor(this.nanos / 1e6)), 'int64')
      case 'UTC':
        return new Time(this.seconds, this.nanos)
      case 'IsZero':
        return this.seconds === -EPOCH && this.nanos === 0
      case 'String':
        return this.text()
    }
    return undefined
  }

  private addDate([years, months, days]: readonly Int[]): Time {
    const { clock } = this
    const bounded = ({ n }: Int) => Math.max(-1_000_000, Math.min(1_000_000, Number(n)))
    const date = {
      year: clock.year + bounded(years!),
      month: clock.month + bounded(months!),
      day: clock.day + bounded(days!),
    }
    return Time.at({ ...clock, ...date }, this.nanos, this.offset, this.zone)
  }

  private compared(answer: (order: number) => boolean): Method {
    return {
      params: [this.type],
      call: ([other]) => answer(this.seconds - (other as Time).seconds || this.nanos - (other as Time).nanos),
    }
  }
}
