import { LETHE_VERSION, VERSION } from '../kernel/base/version.ts'
import type { Cmd } from './kit/command.ts'
import { type Io, print } from './kit/io.ts'

export function addVersion(program: Cmd, io: Io): void {
  program
    .command('version')
    .description('Show the version')
    .action(() => print(io.stdout, `Version:\t\t\t${VERSION}\nLethe:\t\t\t\t${LETHE_VERSION}`))
}
