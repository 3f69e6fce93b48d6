import { z } from 'zod'
import { isUri, isUriOrPath } from '../checks/uris.ts'
import { DURATION, DURATION_SINGLE, durationToMs, msToDuration } from './durations.ts'

/**
 * How well a key is supported. A: honoured. B: accepted, without effect, named in the warning at start when it is
 * switched on. C: refused when it is switched on, because ignoring it would weaken security.
 */
export type KeyClass = 'A' | 'B' | 'C'
/** live: a changed file takes effect at once. start: read once, a change needs a restart. */
export type Reload = 'live' | 'start'

/** Attaches documentation, class and reload behaviour to a key. Defaults to class A, live. */
export function key<T extends z.ZodType>(
  schema: T,
  description: string,
  cls: KeyClass = 'A',
  reload: Reload = 'live',
): T {
  return schema.meta({ description, class: cls, reload })
}

/** Marks a value, with all below it, that commands and messages must not show. Goes inside `key`. */
export const sensitive = <T extends z.ZodType>(schema: T): T => schema.meta({ sensitive: true })

/** A section that refuses unknown keys and fills its defaults also when it is absent. */
export function section<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).prefault({} as never)
}

/** As `section`, for the few sections that Kratos leaves open. */
export function openSection<S extends z.ZodRawShape>(shape: S) {
  return z.looseObject(shape).prefault({} as never)
}

/** Text such as `1h30m`; becomes milliseconds. */
export const duration = () => z.string().regex(DURATION).transform(durationToMs).meta({ kind: 'duration' })
/** The longest that a timer of the process can wait; with a longer one it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A duration that a timer waits for: no shorter than `min` milliseconds, no longer than a timer can. */
export const pause = (min: number) =>
  duration().refine(
    (ms) => ms >= min && ms <= LONGEST_TIMER_MS,
    `must be from ${min}ms to ${msToDuration(LONGEST_TIMER_MS).replace(/(\d+h).*/, '$1')}`,
  )
/** One number and one unit only; becomes milliseconds. */
export const singleDuration = () => z.string().regex(DURATION_SINGLE).transform(durationToMs).meta({ kind: 'duration' })

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB']
/** Text such as `128MB`, 1 KB being 1024 bytes; becomes bytes. */
export const byteSize = () =>
  z
    .string()
    .regex(/^[0-9]+(B|KB|MB|GB|TB|PB|EB)$/)
    .transform((text) => {
      const [, digits = '0', unit = 'B'] = /^([0-9]+)([A-Z]+)$/.exec(text) ?? []
      return Number(digits) * 1024 ** UNITS.indexOf(unit)
    })
    .meta({ kind: 'byte size' })

/** An absolute address of any scheme. */
export const uri = () => z.string().refine(isUri, 'is not valid "uri"').meta({ format: 'uri' })
/** An address that a browser is sent to: absolute, or a path that begins with `/`. */
export const uriOrPath = () =>
  z.string().refine(isUriOrPath, 'is neither an absolute URL nor a path').meta({ format: 'uri-reference' })

export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) => z.int().min(min).max(max)
export const strings = () => z.array(z.string())
export const stringMap = () => z.record(z.string(), z.string())

/** A list without repeated entries. */
export function unique<T extends z.ZodType>(item: T) {
  return z.array(item).check((ctx) => {
    const seen = new Map<string, number>()
    for (const [index, entry] of ctx.value.entries()) {
      const text = JSON.stringify(entry)
      const first = seen.get(text)
      if (first !== undefined) {
        ctx.issues.push({ code: 'custom', input: ctx.value, message: `items at index ${first} and ${index} are equal` })
        return
      }
      seen.set(text, index)
    }
  })
}
