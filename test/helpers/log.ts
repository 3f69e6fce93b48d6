import { Writable } from 'node:stream'

/** A place for a log to be written to, and its lines, parsed. */
export function collect() {
  const written: string[] = []
  return {
    out: new Writable({ write: (chunk, _encoding, done) => done(void written.push(String(chunk))) }),
    lines: () =>
      written
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
