import { systemClock } from '../../kernel/base/clock.ts'
import { fromData } from './data.ts'
import { TemplateError } from './errors.ts'
import { Execution } from './exec/execution.ts'
import { FUNCTIONS, NAMES } from './functions/functions.ts'
import type { Func } from './functions/signature.ts'
import { escapeTemplates } from './html/escape.ts'
import { ESCAPERS } from './html/escapers.ts'
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
  /** Looks for values that stand where HTML could not make them safe. @throws TemplateError */
  check(): void
  /** @throws TemplateError */
  render(data: unknown, model?: string): string
}

const HTML_FUNCTIONS: ReadonlyMap<string, Func> = new Map([...FUNCTIONS, ...Object.entries(ESCAPERS)])

/**
 * Reads a template in Go's language.
 *
 * @throws TemplateError where it does not parse
 * @see https://pkg.go.dev/text/template
 */
export function compile(source: string, options: CompileOptions = {}): Template {
  const { name = 'template', html = false } = options
  const clock = systemClock()
  const files = { ...options.templates, [name]: source }
  const templates: Templates = new Map()
  for (const file of Object.keys(files).sort(compareText)) parseInto(templates, file, files[file]!, NAMES)

  let escaped: { templates: Templates; main: string } | undefined
  const prepared = () => {
    escaped ??= html ? escapeTemplates(templates, name, newRuntime(clock).budget) : { templates, main: name }
    return escaped
  }
  return {
    check: () => void prepared(),
    render(data, model) {
      const { templates: known, main } = prepared()
      const runtime = newRuntime(clock)
      const execution = new Execution(known, html ? HTML_FUNCTIONS : FUNCTIONS, runtime)
      return execution.render(main, name, () => fromData(data, runtime.budget, model) ?? undefined)
    },
  }
}

/** Reads and renders at once. @throws TemplateError */
export function render(source: string, data: unknown, options: RenderOptions = {}): string {
  return compile(source, options).render(data, options.struct)
}
