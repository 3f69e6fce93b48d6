import { systemClock } from '../../kernel/base/clock.ts'
import { fromData } from './data.ts'
import { TemplateError } from './errors.ts'
import { Execution } from './exec/execution.ts'
import { FUNCTIONS, NAMES } from './functions/functions.ts'
import { parseInto, type Templates } from './parse/parser.ts'
import { newRuntime } from './runtime.ts'
import { compareText } from './values.ts'

export { TemplateError }

export interface CompileOptions {
  /** Values are escaped for where they stand in the page. */
  html?: boolean
  /** What the source is called, by `template` and in errors. */
  name?: string
  /** Further files by their names; all are read in the order of their names, and a later one may redefine what an earlier one defines. */
  templates?: Readonly<Record<string, string>>
}

export interface RenderOptions extends CompileOptions {
  /** The model of the data, if it has one: then an unknown member is an error. */
  struct?: string
}

export interface Template {
  /** @throws TemplateError */
  render(data: unknown, model?: string): string
}

/**
 * Reads a template in Go's language.
 *
 * @throws TemplateError where it does not parse
 * @see https://pkg.go.dev/text/template
 */
export function compile(source: string, options: CompileOptions = {}): Template {
  const name = options.name ?? 'template'
  if (options.html)
    throw new TemplateError({ template: name, line: 1 }, 'HTML is not escaped yet, so it is not rendered')
  const clock = systemClock()
  const files = { ...options.templates, [name]: source }
  const templates: Templates = new Map()
  for (const file of Object.keys(files).sort(compareText)) parseInto(templates, file, files[file]!, NAMES)
  return {
    render(data, model) {
      const runtime = newRuntime(clock)
      return new Execution(templates, FUNCTIONS, runtime).render(
        name,
        fromData(data, runtime.budget, model) ?? undefined,
      )
    },
  }
}

/** Reads and renders at once. @throws TemplateError */
export function render(source: string, data: unknown, options: RenderOptions = {}): string {
  return compile(source, options).render(data, options.struct)
}
