import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BareRow, compare, type Row, spread, summarise } from '../../../bench/report.ts'
import { asMarkdown, asText, cell, fixed, loadTables } from '../../../bench/tables.ts'

const row = (over: Partial<Row>): Row => ({
  target: 'lethe',
  plan: 'whoami-token',
  connections: 64,
  round: 1,
  requests: 1000,
  seconds: 2,
  p50: 1,
  p99: 5,
  cpu: { server: 0.3, postgres: 0.1 },
  peakMb: 100,
  ...over,
})

const bare = (over: Partial<BareRow>): BareRow => ({
  plan: 'whoami-token',
  connections: 64,
  round: 1,
  units: 2000,
  seconds: 2,
  cpuSeconds: 0.4,
  ...over,
})

describe('figures of the benchmark', () => {
  it('take the lower one of two in the middle', () => {
    assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 })
    assert.deepEqual(spread([4, 1, 3, 2]), { median: 2, min: 1, max: 4 })
  })

  it('are CPU seconds for 1,000 requests, and the share of them that bare SQL needs', () => {
    const [figures] = summarise([row({})], [bare({})])
    assert.equal(figures!.rate.median, 500)
    assert.equal(figures!.serverCpu!.median, 0.3)
    assert.equal(figures!.postgresCpu!.median, 0.1)
    // 0.2 ms of bare SQL, 0.4 ms of server and Postgres
    assert.ok(Math.abs(figures!.share!.median - 0.5) < 1e-9)
    assert.equal(figures!.rateRatio!.median, 0.5)
  })

  it('count a browser logout as one piece of work of two requests', () => {
    const plan = 'browser-logout'
    const [figures] = summarise([row({ plan })], [bare({ plan })])
    assert.equal(figures!.rate.median, 500)
    assert.equal(figures!.rateRatio!.median, 0.25)
    assert.ok(Math.abs(figures!.share!.median - 0.25) < 1e-9)
  })

  it('compare within a round and with as many connections', () => {
    const rows = [row({ round: 1 }), row({ round: 2, seconds: 1 }), row({ connections: 8 })]
    const figures = summarise(rows, [bare({}), bare({ round: 2, seconds: 0.5 }), bare({ connections: 8, units: 500 })])
    assert.deepEqual(
      figures.map(({ connections, rateRatio }) => [connections, rateRatio]),
      [
        [64, { median: 0.25, min: 0.25, max: 0.5 }],
        [8, { median: 2, min: 2, max: 2 }],
      ],
    )
  })

  it('measure the server beside one that does nothing', () => {
    const noop = row({ target: 'no-op', plan: 'noop', requests: 2000, cpu: { server: 0.2, postgres: undefined } })
    const figures = summarise([noop, row({})], [])
    assert.ok(Math.abs(figures[1]!.overNoop!.median - 3) < 1e-9)
    assert.equal(figures[0]!.postgresCpu, undefined)
  })

  it('leave out what was not measured in every round', () => {
    const [figures] = summarise(
      [row({}), row({ round: 2, cpu: { server: undefined, postgres: 0.1 } })],
      [bare({ round: 2 })],
    )
    assert.deepEqual(Object.keys(figures!).sort(), 'connections p50 p99 peakMb plan postgresCpu rate target'.split(' '))
  })

  it('compare two servers by what each needs with its own Postgres work', () => {
    const other = row({ target: 'other', requests: 500, cpu: { server: 0.4, postgres: 0.2 } })
    const [comparison] = compare([row({}), other, row({ plan: 'init' })], 'lethe', 'other')
    assert.equal(comparison!.rate.median, 0.5)
    assert.ok(Math.abs(comparison!.cpu!.median - 3) < 1e-9)
  })
})

describe('tables of the benchmark', () => {
  it('write a median with its range, alone where there is none, and a dash for nothing', () => {
    assert.equal(cell({ median: 2, min: 1, max: 3.14 }, fixed(1)), '2.0 (1.0-3.1)')
    assert.equal(cell({ median: 2, min: 2.01, max: 2 }, fixed(1)), '2.0')
    assert.equal(cell(undefined, fixed(1)), '-')
  })

  it('are one for each number of connections, and name the server where there are two', () => {
    const one = summarise([row({}), row({ connections: 1 })], [])
    assert.deepEqual(
      loadTables(one).map(({ title }) => title),
      ['1 connection', '64 connections'],
    )
    assert.doesNotMatch(asText(loadTables(one)[0]!), /server {2}/)
    const two = summarise([row({}), row({ target: 'other' })], [])
    assert.match(asMarkdown(loadTables(two)[0]!), /\| whoami-token \| other \| 500 \|/)
  })
})
