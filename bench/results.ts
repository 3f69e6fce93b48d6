import type { Machine } from './machine.ts'
import type { Comparison, Figures, Spread } from './report.ts'
import type { Plan } from './workloads.ts'

/** What is kept of a run. `load` is of this server alone, `beside` of it and another one. */
export type Result = LoadFigures | InterferenceFigures | ScaleFigures | StartFigures
export type Kind = Result['kind']

interface Common {
  machine: Machine
  /** processes behind the port of our server */
  workers: number
  rounds: number
  /** of each run */
  seconds: number
}

export interface LoadFigures extends Common {
  kind: 'load' | 'beside'
  sessions: number
  /** what bare SQL was sent by */
  bare: 'pgbench' | 'pg' | 'none'
  sharedBuffers: string
  /** MB of RAM of each server before any load */
  idle: { name: string; mb: number }[]
  figures: Figures[]
  comparisons?: { first: string; other: string; rows: Comparison[] }
}

export interface InterferenceFigures extends Common {
  kind: 'interference'
  sessions: number
  connections: number
  loginsPerSecond: number
  /** what the passwords were hashed with */
  hash: string
  /** milliseconds of a session check */
  quiet: { p50: Spread; p99: Spread; rate: Spread }
  busy: { p50: Spread; p99: Spread; rate: Spread }
  /** busy ÷ quiet, of the same round */
  ratio: { p50: Spread; p99: Spread }
  /** how the logins were answered, in all rounds; 503 and 429 are refusals of what cannot be done in time */
  logins: { answer: string; count: number }[]
}

export interface ScaleFigures extends Common {
  kind: 'scale'
  connections: number
  sharedBuffers: string
  sizes: { small: number; large: number }
  figures: {
    plan: Plan
    /** CPU seconds of server and Postgres for 1,000 requests */
    small: Spread
    large: Spread
    /** large ÷ small, of the same round */
    ratio: Spread
  }[]
}

export interface StartFigures extends Common {
  kind: 'start'
  figures: {
    database: 'a migrated Postgres' | 'a fresh embedded one'
    /** milliseconds from the start of the process to the first 200 of /health/ready */
    ready: Spread
    /** MB of RAM, three seconds later */
    idleMb: Spread
  }[]
}

/** What a mode hands back: figures to keep, and every single run for who wants to look closer. */
export interface Measured {
  result: Result
  runs: unknown
}

export type Progress = (text: string) => void
