import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Options, parseArguments, WrongArguments } from '../../../bench/arguments.ts'
import { PLANS } from '../../../bench/workloads.ts'

const parse = (text: string): Options => parseArguments(text === '' ? [] : text.split(' '))!

describe('arguments of the benchmark', () => {
  it('measures all workloads unless told otherwise', () => {
    const options = parse('')
    assert.equal(options.mode, 'load')
    assert.deepEqual(options.plans, [...PLANS])
    assert.deepEqual(options.connections, [64])
    assert.equal(options.other, undefined)
  })

  it('takes several numbers of connections and some of the workloads', () => {
    const options = parse('--connections 1,8,64,256 --plans whoami-token,mix --sessions 2000 --bare pg')
    assert.deepEqual(options.connections, [1, 8, 64, 256])
    assert.deepEqual(options.plans, ['whoami-token', 'mix'])
    assert.equal(options.sessions, 2000)
    assert.equal(options.bare, 'pg')
  })

  it('has defaults of its own for each thing to measure', () => {
    assert.equal(parse('--scale').sessions, 2_000_000)
    assert.deepEqual(parse('--interference').connections, [32])
    assert.equal(parse('--start').rounds, 5)
  })

  it('takes another server with its database and process', () => {
    const { other, dsn } = parse('--url http://127.0.0.1:4433 --dsn postgres://x/y --pid 12 --name old')
    assert.equal(other?.url.port, '4433')
    assert.equal(other?.pid, 12)
    assert.equal(other?.name, 'old')
    assert.equal(dsn, 'postgres://x/y')
  })

  it('asks for help', () => assert.equal(parseArguments(['--help']), undefined))

  for (const [text, reason] of [
    ['--seconds 0', /--seconds 0: a whole number from 1 up/],
    ['--connections 8,many', /--connections many/],
    ['--sessions 10', /from 400 up/],
    ['--plans whoami', /--plans whoami: not one of noop, whoami-token/],
    ['--bare sqlite', /--bare sqlite: not one of/],
    ['--tokens sha1', /--tokens sha1/],
    ['--url http://127.0.0.1:4433', /--url needs --dsn/],
    ['--url http://127.0.0.1/kratos --dsn postgres://x/y', /without a path/],
    ['--url https://127.0.0.1 --dsn postgres://x/y', /--url https/],
    ['--url http://a --dsn postgres://x/y --kratos ./kratos', /one other server/],
    ['--pid 12', /--pid needs --url/],
    ['--scale --start', /one at a time/],
    ['--scale --kratos ./kratos', /--kratos has no effect with --scale/],
    ['--interference --connections 1,8', /with --interference one number/],
    ['--sesions 10', /--help lists the options/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parse(text),
        (error) => error instanceof WrongArguments && reason.test(error.message),
      )
    })
  }
})
