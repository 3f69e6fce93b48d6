import { cloneJson } from '../../kernel/base/exact-json.ts'
import type { Json, JsonObject } from '../types.ts'
import { isObject } from '../types.ts'

export interface Operation {
  op: 'add' | 'remove' | 'replace'
  path: string
  value?: Json
}

/** A patch that cannot be applied; nothing was changed. */
export class PatchError extends Error {}

/** Operations of one patch: each may move a whole list. */
const MAX_OPERATIONS = 1000
/** Steps of one path, as deep as a body may nest. */
const MAX_STEPS = 64

/** A JSON pointer into an array: an index, or `-` for the end. */
const ELEMENT = /^(?:-|\d+)$/

/**
 * Reads a patch. Only the operations that Kratos supports are allowed.
 * @throws PatchError
 */
export function readPatch(body: Json): Operation[] {
  if (!Array.isArray(body)) throw new PatchError('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (body.length > MAX_OPERATIONS) throw new PatchError(`a patch holds at most ${MAX_OPERATIONS} operations`)
  return body.map((entry) => {
    const { op, path, value } = isObject(entry) ? entry : ({} as JsonObject)
    if (op !== 'add' && op !== 'remove' && op !== 'replace') throw new PatchError(`unsupported operation: ${op}`)
    if (typeof path !== 'string' || !/^(?:\/|$)/.test(path)) {
      throw new PatchError('error parsing patch operations: an operation has no path that starts with a slash')
    }
    if (path.split('/', MAX_STEPS + 2).length > MAX_STEPS + 1) {
      throw new PatchError(`a path has at most ${MAX_STEPS} steps`)
    }
    return op === 'remove' || value === undefined ? { op, path } : { op, path, value }
  })
}

/**
 * Applies a patch to a copy. More tolerant than RFC 6902, as Kratos is: missing parents are created, and replacing a
 * missing member adds it.
 *
 * @throws PatchError
 */
export function applyPatch(document: JsonObject, patch: readonly Operation[]): Json {
  const holder: JsonObject = { root: cloneJson(document) }
  for (const operation of patch) {
    if (operation.op !== 'remove' && operation.value === undefined) {
      throw new PatchError(`${operation.op} operation does not apply: ${operation.path} has no value`)
    }
    const steps = ['root', ...operation.path.split('/').slice(1).map(stepName)]
    const last = steps.pop()!
    const parent = steps.reduce<Json>((node, step, i) => child(node, step, steps[i + 1] ?? last, operation), holder)
    if (Array.isArray(parent)) changeItem(parent, last, operation)
    else if (isObject(parent)) changeMember(parent, last, operation)
    else throw missing(operation)
  }
  return holder.root!
}

const stepName = (step: string) => step.replaceAll('~1', '/').replaceAll('~0', '~')
const missing = ({ op, path }: Operation) =>
  new PatchError(`${op} operation does not apply: doc is missing path: "${path}"`)

/** The value one step down; for additions a missing one is created, as array when the step after it is an index. */
function child(node: Json, step: string, next: string, operation: Operation): Json {
  if (Array.isArray(node)) {
    const item = /^\d+$/.test(step) ? node[Number(step)] : undefined
    if (item === undefined) throw missing(operation)
    return item
  }
  if (!isObject(node)) throw missing(operation)
  const known = Object.hasOwn(node, step) ? node[step] : undefined
  if (known !== undefined && known !== null) return known
  if (operation.op === 'remove') throw missing(operation)
  const made: Json = ELEMENT.test(next) ? [] : {}
  set(node, step, made)
  return made
}

function changeItem(list: Json[], step: string, operation: Operation): void {
  const index = step === '-' ? list.length : /^\d+$/.test(step) ? Number(step) : -1
  const limit = operation.op === 'add' ? list.length : list.length - 1
  if (index < 0 || index > limit) throw missing(operation)
  if (operation.op === 'remove') list.splice(index, 1)
  else list.splice(index, operation.op === 'add' ? 0 : 1, operation.value!)
}

function changeMember(object: JsonObject, step: string, operation: Operation): void {
  if (operation.op !== 'remove') return set(object, step, operation.value!)
  if (!Object.hasOwn(object, step)) throw missing(operation)
  delete object[step]
}

/** Never runs the setter of `__proto__`. */
function set(object: JsonObject, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
