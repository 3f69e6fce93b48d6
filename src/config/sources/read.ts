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
  const line = lineOfBadText(text)
  if (line !== undefined) return unusable(file, `line ${line}: is not UTF-8`, line, 'save the file as UTF-8')
  return extension === 'toml' ? parseToml(file, text) : parseYaml(file, text, extension === 'json')
}

/** What was no UTF-8 was decoded as U+FFFD: a password with such a character in it would be another one. */
function lineOfBadText(text: string): number | undefined {
  const at = text.indexOf('\ufffd')
  return at < 0 ? undefined : text.slice(0, at).split('\n').length
}
