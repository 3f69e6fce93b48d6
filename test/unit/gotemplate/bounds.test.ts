import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { render, TemplateError } from '../../../src/courier/gotemplate/index.ts'
import fc from '../../helpers/fast-check.ts'

const SIZE = 16_384

/** Templates and data that grow; each is a way in which a reader or a function could be slow. */
const FAMILIES: Record<string, (n: number) => { source: string; data?: unknown; html?: boolean }> = {
  'tags that never close': (n) => ({ source: '<a'.repeat(n / 2), html: true }),
  'brackets in text': (n) => ({ source: '<'.repeat(n), html: true }),
  'ampersands in a link': (n) => ({ source: `<a href="${'&'.repeat(n)}">`, html: true }),
  'braces in a script': (n) => ({ source: `<script>${'{'.repeat(n)}</script>`, html: true }),
  'almost the end of a script': (n) => ({ source: `<script>${'</scrip '.repeat(n / 8)}</script>`, html: true }),
  'templates in a script': (n) => ({ source: `<script>\`${'${`'.repeat(n / 3)}`, html: true }),
  'parentheses in a style': (n) => ({ source: `<style>${' ('.repeat(n / 2)}</style>`, html: true }),
  'escapes in a style': (n) => ({ source: `<style>a:"${'\\a'.repeat(n / 2)}"</style>`, html: true }),
  'comments of HTML': (n) => ({ source: '<!--x-->'.repeat(n / 8), html: true }),
  'comments that never end': (n) => ({ source: '{{/*'.repeat(n / 4) }),
  'texts in quotes that never end': (n) => ({ source: '{{"'.repeat(n / 3) }),
  'a long number': (n) => ({ source: `{{${'1_'.repeat(n / 2)}1}}` }),
  'a chain of members': (n) => ({ source: `{{${'.a'.repeat(n / 2)}}}`, data: {} }),
  'many arguments': (n) => ({ source: `{{print ${'1 '.repeat(n / 2)}}}` }),
  'many values': (n) => ({ source: '{{.}}'.repeat(n / 5), data: 'x', html: true }),
  'many templates': (n) => ({
    source: Array.from({ length: n / 32 }, (_, i) => `{{define "t${i}"}}x{{end}}{{template "t${i}"}}`).join(''),
    html: true,
  }),
  'blanks around a text': (n) => ({ source: '{{trim .}}{{trimAll " " .}}', data: `${' '.repeat(n)}x${' '.repeat(n)}` }),
  'words to wrap': (n) => ({ source: '{{wrap 10 .}}{{wrapWith 3 "|" .}}', data: 'a bcdef '.repeat(n / 8) }),
  'words to rename': (n) => ({ source: '{{snakecase .}}{{camelcase .}}', data: 'aB1-'.repeat(n / 4) }),
  'an expression that backtracks': (n) => ({ source: '{{regexMatch "^(a+)+$" .}}', data: `${'a'.repeat(n)}!` }),
  'a list without doubles': (n) => ({
    source: '{{uniq . | len}}',
    data: Array.from({ length: n / 8 }, (_, i) => `a${i}`),
  }),
  'a list to search': (n) => ({
    source: '{{has "x" .}}{{without . "y" | len}}',
    data: Array.from({ length: n / 4 }, (_, i) => i),
  }),
  'a list of links': (n) => ({
    source: '{{range .}}<a href="{{.}}">{{.}}</a>{{end}}',
    data: Array(n / 16).fill('a&b'),
    html: true,
  }),
  'a version of many parts': (n) => ({ source: '{{semver .}}', data: '1.'.repeat(n / 2) }),
  'a duration of many parts': (n) => ({ source: '{{durationRound .}}', data: '1h'.repeat(n / 2) }),
  'a layout of many parts': (n) => ({ source: '{{(toDate "2006" "2020").Format .}}', data: '.000'.repeat(n / 4) }),
  'a host of many ports': (n) => ({ source: '{{urlParse .}}', data: `http://${'a:'.repeat(n / 2)}` }),
  'verbs without values': (n) => ({ source: '{{printf .}}', data: '%d'.repeat(n / 2) }),
  'data nested deeply': (n) => ({ source: '{{fromJson . | toJson}}', data: '['.repeat(n / 2) + ']'.repeat(n / 2) }),
}

describe('a template takes time linear in its text and its data', () => {
  for (const [name, family] of Object.entries(FAMILIES))
    it(name, () => {
      const cost = (n: number) => Math.min(...[1, 2, 3].map(() => cpuOf(() => attempt(family(n)))))
      cost(SIZE)
      const once = cost(SIZE)
      let eightTimes = cost(SIZE * 8)
      // linear is 8, quadratic is 64; what takes less than 40 ms is not told from noise
      const isLinear = () => eightTimes < 40 || eightTimes < once * 24
      // A machine that is busy with other things shows more now and then, what is quadratic always.
      for (let again = 0; again < 5 && !isLinear(); again++) eightTimes = Math.min(eightTimes, cost(SIZE * 8))
      assert.ok(isLinear(), `${SIZE}: ${once} ms, ${SIZE * 8}: ${eightTimes} ms`)
    })
})

describe('a template ends, whatever it asks for', () => {
  for (const [name, source, data] of [
    ['a text that doubles', '{{$s := "x"}}{{range until 60}}{{$s = print $s $s}}{{end}}{{len $s}}'],
    ['loops in loops', '{{range 100000}}{{range 100000}}{{end}}{{end}}'],
    ['a map that holds itself', '{{$d := dict}}{{$_ := set $d "a" $d}}{{print $d}}'],
    ['a map that holds itself, as JSON', '{{$d := dict}}{{$_ := set $d "a" $d}}{{toJson $d}}'],
    ['a map that holds itself, copied', '{{$d := dict}}{{$_ := set $d "a" $d}}{{deepCopy $d}}'],
    ['a map that holds itself, merged', '{{$d := dict}}{{$_ := set $d "a" $d}}{{merge (dict "a" $d) $d}}'],
    ['a map that holds itself, compared', '{{$d := dict}}{{$_ := set $d "a" $d}}{{deepEqual $d $d}}'],
    ['maps that share their parts', '{{$d := dict}}{{range until 64}}{{$d = dict "a" $d "b" $d}}{{end}}{{$d}}'],
    ['slow hashes', '{{range until 1000}}{{bcrypt "x"}}{{end}}'],
    ['an expression that looks at everything', '{{regexReplaceAll "a.*b|a" (repeat 100000 "a") "x"}}'],
    ['a long expression and a long text', '{{regexMatch "(([ab]{0,30}){0,30}c?)+d" (repeat 500000 "ab")}}'],
    ['many numbers', '{{untilStep 0 9000000000000000 1}}'],
    ['a wide number', '{{printf "%1000000d%1000000d%1000000d%1000000d%1000000d" 1 2 3 4 5}}'],
    ['blanks', '{{indent 1000000 .}}', '\n'.repeat(1000)],
    ['data nested deeply', '{{.}}', JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))],
  ] as const)
    it(name, () => {
      let answer: unknown
      const cost = cpuOf(() => {
        answer = attempt({ source, data })
      })
      assert.ok(answer instanceof TemplateError, `gave ${String(answer).slice(0, 100)}`)
      assert.ok(!('kind' in answer) || answer.kind === 'exec')
      assert.ok(cost < 2500, `${cost} ms`)
    })
})

const word = fc.constantFrom(
  ...'{{ }} {{- -}} .a . $ $x := = | ( ) "t" `r` 1 -2.5 nil true if else end range with define template block break continue'.split(
    ' ',
  ),
  ...'print printf len index eq lt and upper repeat list dict toJson regexMatch toDate semver urlParse default'.split(
    ' ',
  ),
  ...'<a href=" > " \' <script> </script> <style> </style> /* */ // ` $\u007b } { \\ url( <!-- --> & &amp; = ? # : ; % \n é \ud83d'.split(
    ' ',
  ),
)

describe('a template is rendered or refused', () => {
  it('whatever stands in it and in its data', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), fc.jsonValue(), fc.boolean(), (words, data, html) => {
        const answer = attempt({ source: words.join(' ').replaceAll('{{ ', '{{'), data, html })
        assert.ok(typeof answer === 'string' || answer instanceof TemplateError, String((answer as Error).stack))
      }),
      { numRuns: 3000 },
    )
  })

  it('and no value writes a tag, an attribute or a script of its own into a page', () => {
    const places = [
      '<p>#</p>',
      '<p title="#">',
      "<p title='#'>",
      '<p title=#>',
      '<a href="#">',
      '<a href="/x?#">',
      '<script>x = #</script>',
    ]
    places.push(
      '<script>x = "#"</script>',
      '<style>a{b: #}</style>',
      '<p style="a: #">',
      '<a onclick="f(#)">',
      '<title>#</title>',
      '<p #="x">',
    )
    const value = fc.array(
      fc.constantFrom(
        ...'< > " \' & / \\ ` = ; : ( ) \n javascript: <script> </script> </style> </title> --> onload= x'.split(' '),
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...places), value, (place, parts) => {
        const harmless = render(place.replace('#', '{{.}}'), 'x', { html: true })
        const hostile = render(place.replace('#', '{{.}}'), parts.join(' '), { html: true })
        const marks = (text: string) => text.replace(/[^<>]/g, '')
        assert.equal(marks(hostile), marks(harmless), hostile)
        if (place.includes('href=')) assert.doesNotMatch(hostile, /href="\s*javascript:/i)
        if (/="[^>]*"/.test(place)) assert.equal(hostile.split('"').length, harmless.split('"').length, hostile)
      }),
      { numRuns: 2000 },
    )
  })
})

function attempt({ source, data = {}, html = false }: { source: string; data?: unknown; html?: boolean }): unknown {
  try {
    return render(source, data, { html })
  } catch (error) {
    return error
  }
}

function cpuOf(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
