import { type Source, unusable } from './sources.ts'
import { parseToml } from './toml.ts'
import { parseYaml } from './yaml.ts'

const READ_ERRORS: Record<string, string> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'permission denied',
}

/** Reads and parses one file, by its extension. Never throws. */
export function readSource(file: string, readFile: (file: string) => string): Source {
  const extension = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase()
  if (extension === undefined || !['yaml', 'yml', 'json', 'toml'].includes(extension)) {
    return unusable(file, 'unknown config file extension', undefined, 'name it .yaml, .yml, .json or .toml')
  }
  let text: string
  try {
    text = readFile(file).replace(/^\ufeff/, '')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    return unusable(file, `cannot be read: ${READ_ERRORS[code] ?? code}`)
  }
  return extension === 'toml' ? parseToml(file, text) : parseYaml(file, text, extension === 'json')
}
