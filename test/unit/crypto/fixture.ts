import { readFileSync } from 'node:fs'

export interface SessionVector {
  id: string
  cookie_name: string
  secrets: string[]
  max_age: number
  now: number
  value: string
  expect: { ok: true; timestamp: number; values: Record<string, string> } | { ok: false; reason: string }
}

export interface CookieVectors {
  session: SessionVector[]
  continuity: SessionVector[]
  csrf: { id: string; cookie: string; token: string; ok: boolean }[]
  csrf_cookie_names: { base_url: string; name: string }[]
}

/** Recorded from Kratos v26.2.0 and from the cookie library it uses; see `about` in the file. */
export const vectors: CookieVectors = readFixture('cookie-vectors.json')

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')) as T
}

/** A reproducible stand-in for randomness: a different block at each call. */
export function countingRandom(): (bytes: number) => Buffer {
  let next = 1
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => (next++ * 37) % 256))
}
