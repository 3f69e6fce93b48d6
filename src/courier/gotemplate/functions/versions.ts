import { FunctionError } from '../errors.ts'
import { type Func, func } from './signature.ts'
import { comparePrerelease, Version } from './version.ts'

const PART = '[0-9xX*|]+'
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = `v?(?:${PART})(?:\\.${PART})?(?:\\.${PART})?(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`
const RANGE = new RegExp(`(?<![^\\s,|])(${VERSION})\\s+-\\s+(${VERSION})`, 'g')
const CONSTRAINT = new RegExp(
  `^(!=|>=|=>|<=|=<|~>|[=><~^]|)\\s*v?(${PART})(?:\\.(${PART}))?(?:\\.(${PART}))?((?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?)$`,
)
const MAX_LENGTH = 256

/** @see https://masterminds.github.io/sprig/semver.html */
export const VERSIONS: Record<string, Func> = {
  semver: func('string', ([text]: readonly [string]) => new Version(text)),
  semverCompare: func('string, string', ([constraint, text]: readonly [string, string]) => {
    const version = new Version(text)
    return parse(constraint).some((all) => all.every((one) => allows(one, version)))
  }),
}

interface Constraint {
  operator: string
  version: Version
  /** Parts that stand for any: `1.2` leaves the patch open, `1` the minor too. */
  open: 'none' | 'patch' | 'minor' | 'all'
}

/** Alternatives, each of constraints that hold together. */
function parse(text: string): Constraint[][] {
  if (text.length > MAX_LENGTH) throw new FunctionError(`a constraint longer than ${MAX_LENGTH} characters`)
  return text
    .replace(RANGE, '>= $1, <= $2')
    .split('||')
    .map((alternative) => split(alternative).map(constraint))
}

/** Constraints are divided by commas or blanks; a blank may also stand behind an operator. */
function split(alternative: string): string[] {
  return alternative
    .replace(/([=><~^!])\s+(?=[v0-9xX*])/g, '$1')
    .trim()
    .split(',')
    .flatMap((part) => part.split(/\s/).filter((word) => word !== ''))
}

function constraint(text: string): Constraint {
  const [, operator, major = '', minor = '', patch = '', rest = ''] = CONSTRAINT.exec(text) ?? []
  if (operator === undefined) throw new FunctionError(`${JSON.stringify(text)} is no constraint of versions`)
  if (isOpen(major)) return { operator, version: new Version(`0.0.0${rest}`), open: 'all' }
  if (isOpen(minor)) return { operator, version: new Version(`${major}.0.0${rest}`), open: 'minor' }
  if (isOpen(patch)) return { operator, version: new Version(`${major}.${minor}.0${rest}`), open: 'patch' }
  return { operator, version: new Version(`${major}.${minor}.${patch}${rest}`), open: 'none' }
}

function isOpen(part: string): boolean {
  return part === '' || part === 'x' || part === 'X' || part === '*'
}

function allows({ operator, version: wanted, open }: Constraint, version: Version): boolean {
  const order = version.compare(wanted)
  // a prerelease is only meant where the constraint names one
  if (version.pre !== '' && wanted.pre === '' && (operator !== '!=' || open !== 'none')) return false
  const sameMajor = version.major === wanted.major
  const sameMinor = version.minor === wanted.minor
  switch (operator) {
    case '!=':
      return differs(version, wanted, open)
    case '>':
      if (open === 'none' || !sameMajor) return order > 0
      return open === 'patch' && version.minor > wanted.minor
    case '<':
      return order < 0
    case '>=':
    case '=>':
      return order >= 0
    case '<=':
    case '=<':
      if (open === 'none') return order <= 0
      if (version.major !== wanted.major) return version.major < wanted.major
      return open !== 'patch' || version.minor <= wanted.minor
    case '^':
      return order >= 0 && caret(version, wanted, open)
  }
  if (open === 'none' && (operator === '' || operator === '=')) return order === 0
  if (order < 0) return false
  if (open === 'all') return true
  if (open === 'none' && wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n) return true
  return sameMajor && (sameMinor || open === 'minor')
}

function differs(version: Version, wanted: Version, open: Constraint['open']): boolean {
  if (open === 'none') return version.compare(wanted) !== 0
  if (version.major !== wanted.major) return true
  if (open === 'minor') return false
  if (version.minor !== wanted.minor) return true
  if (open === 'patch') return comparePrerelease(version.pre, wanted.pre) !== 0
  return version.compare(wanted) !== 0
}

/** Nothing left of the first part that is not 0 may change. */
function caret(version: Version, wanted: Version, open: Constraint['open']): boolean {
  if (wanted.major > 0n || open === 'minor') return version.major === wanted.major
  if (version.major > 0n) return false
  if (wanted.minor > 0n || open === 'patch') return version.minor === wanted.minor
  return version.minor === 0n && version.patch === wanted.patch
}
