import { type Context, isComment, isScriptLiteral } from './context.ts'
import { TextReader } from './transitions.ts'

/**
 * A literal text as it may stand in the page: without comments, which could hide what a value closes, and with `&lt;`
 * for each `<` that begins no tag.
 */
export function escapeText(before: Context, text: string): { context: Context; text: string } {
  const reader = new TextReader(text)
  const out: string[] = []
  let context = before
  let written = 0
  for (let at = 0; at < text.length; ) {
    const [next, end] = reader.step(context, at)
    const changes = next.state !== context.state
    if (context.state === 'text' || context.state === 'rcdata') {
      const stop = changes ? Math.max(text.lastIndexOf('<', end - 1), at) : end
      for (
        let open = text.indexOf('<', at);
        open >= 0 && open < (changes && text[stop] !== '<' ? end : stop);
        open = text.indexOf('<', open + 1)
      ) {
        if (text.slice(open, open + 9).toUpperCase() === '<!DOCTYPE') continue
        out.push(text.slice(written, open), '&lt;')
        written = open + 1
      }
    } else if (isComment(context.state) && context.delimiter === '') {
      if (context.state === 'js block comment')
        out.push(/[\n\r\u2028\u2029]/.test(text.slice(written, end)) ? '\n' : ' ')
      if (context.state === 'css block comment') out.push(' ')
      written = end
    }
    if (changes && isComment(next.state) && next.delimiter === '') {
      out.push(text.slice(written, end - openingLength(next)))
      written = end
    }
    if (isScriptLiteral(context.state) && /<(?:script|\/script|!--)/i.test(text.slice(at, end))) {
      out.push(text.slice(written, at), text.slice(at, end).replace(/<(script|\/script|!--)/gi, '\\x3C$1'))
      written = end
    }
    context = next
    at = end
  }
  if (written === 0) return { context, text }
  if (!isComment(context.state) || context.delimiter !== '') out.push(text.slice(written))
  return { context, text: out.join('') }
}

function openingLength({ state }: Context): number {
  if (state === 'comment' || state === 'js comment <!--') return 4
  return state === 'js comment -->' ? 3 : 2
}
