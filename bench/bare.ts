import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BarePgOptions, BarePgResult } from './bare-pg.ts'
import { cpuSeconds, endedChildrenSeconds } from './cpu.ts'
import { outputOf, spawnOwn } from './processes.ts'
import type { Half } from './rows.ts'
import { pgbenchScript, type Tables } from './statements.ts'
import type { Plan } from './workloads.ts'

export interface BareResult {
  /** units of work: a browser logout is one, of three statements */
  units: number
  seconds: number
  /** of the client and of Postgres, without what it took to connect; undefined where Postgres is elsewhere */
  cpuSeconds: number | undefined
}

export interface BareOptions {
  dsn: string
  tables: Tables
  half: Half
  postgresPid: number | undefined
}

export type Bare = (plan: Plan, connections: number, seconds: number) => Promise<BareResult>

/** Bare SQL by `pgbench -M prepared` over as many connections. */
export function pgbench({ dsn, tables, half, postgresPid }: BareOptions): Bare {
  return async (plan, connections, seconds) => {
    const dir = mkdtempSync(join(tmpdir(), 'lethe-bench-'))
    const file = join(dir, `${plan}.sql`)
    writeFileSync(file, pgbenchScript(plan, tables, half, connections))
    const run = async (first: number, length: string[]) => {
      const before = cpuNow(postgresPid)
      const flags = ['-n', '-M', 'prepared', '-c', String(connections), '-j', '1', '-D', `n=${first}`, '-f', file]
      const output = await outputOf(
        spawn('pgbench', [...flags, ...length, dsn], { stdio: ['ignore', 'pipe', 'inherit'] }),
      )
      const after = cpuNow(postgresPid)
      const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1])
      const units = number(/transactions actually processed: (\d+)/)
      return { units, rate: number(/tps = ([\d.]+)/), cpu: after - before }
    }
    try {
      // To connect 256 times costs up to a second of CPU. A run of one transaction each tells how much, to be taken off.
      const connecting = await run(0, ['-t', '1'])
      const whole = await run(1, ['-T', String(seconds)])
      const units = whole.units - connecting.units
      const cpu = postgresPid === undefined ? undefined : whole.cpu - connecting.cpu
      return { units, seconds: units / whole.rate, cpuSeconds: cpu }
    } finally {
      rmSync(dir, { recursive: true })
    }
  }
}

const cpuNow = (postgresPid: number | undefined) =>
  (postgresPid === undefined ? 0 : cpuSeconds(postgresPid)) + endedChildrenSeconds()

/** Bare SQL by a loop over the driver that the server uses: dearer than pgbench, so the server looks better beside it. */
export function pgLoop({ dsn, tables, half, postgresPid }: BareOptions): Bare {
  return async (plan, connections, seconds) => {
    const options: BarePgOptions = { dsn, plan, tables, half, connections, seconds }
    const child = spawnOwn('bare-pg.ts', options, 'pipe')
    const output = outputOf(child)
    await Promise.race([output, new Promise((resolve) => child.stdout!.once('data', resolve))])
    const before = postgresPid === undefined ? 0 : cpuSeconds(postgresPid)
    child.stdin!.end('go\n')
    const result: BarePgResult = JSON.parse((await output).split('\n')[1]!)
    const cpu = postgresPid === undefined ? undefined : cpuSeconds(postgresPid) - before + result.cpuSeconds
    return { units: result.units, seconds: result.seconds, cpuSeconds: cpu }
  }
}
