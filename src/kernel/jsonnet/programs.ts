import { compileProgram, type Program } from './index.ts'

/** Enough for every program of a configuration. */
const MOST = 100

/** Compiles each text once; emptied when reloads have left too many. @param name of the programs in messages */
export function createPrograms(name: string): (text: string) => Program {
  const known = new Map<string, Program>()
  return (text) => {
    const program = known.get(text) ?? compileProgram(text, name)
    if (!known.has(text) && known.size >= MOST) known.clear()
    known.set(text, program)
    return program
  }
}
