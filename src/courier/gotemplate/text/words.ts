import { isSpace, isUpper, lower, upper } from './characters.ts'

type Kind = 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other' | 'end'

interface Word {
  kind: Kind
  text: string
}

/** `FirstName`, `first name` and `FIRST-name` as `first_name` (or with another connector). */
export function connected(text: string, connector: string): string {
  const words = wordsOf(text)
  let out = ''
  let at = 0
  const take = (): Word => words[at++] ?? { kind: 'end', text: '' }
  const write = (word: Word) => {
    out +=
      word.kind === 'connector'
        ? connector.repeat([...word.text].length)
        : word.kind === 'upper'
          ? lower(word.text)
          : word.text
  }
  const joins = ({ kind }: Word) => kind !== 'connector' && kind !== 'punctuation'
  const rest = (first: Word): Word => {
    let word = first
    for (; word.kind === 'letters' || word.kind === 'number'; word = take()) write(word)
    return word
  }

  let word = take()
  while (at < words.length) {
    if (word.kind !== 'connector') write(word)
    const last = word
    word = take()
    if (last.kind === 'number') {
      word = rest(word)
      if (word.kind !== 'end' && joins(word)) out += connector
    } else if (last.kind === 'connector') write(last)
    else if (last.kind === 'punctuation') continue
    else if (word.kind !== 'number') {
      if (joins(word)) out += connector
    } else if (at < words.length) {
      // a number between letters: part of the word before it, unless small letters follow
      const number = word
      word = take()
      if (word.kind !== 'letters') {
        write(number)
        if (joins(word)) out += connector
      } else {
        out += connector
        write(number)
        word = rest(word)
        if (word.kind !== 'end' && joins(word)) out += connector
      }
    }
  }
  if (word.kind !== 'end') write(word)
  return out
}

/** `first_name` as `FirstName`. */
export function pascalCase(text: string): string {
  const chars = [...text]
  let start = 0
  while (start < chars.length && isConnector(chars[start]!)) start++
  // the reference writes the last connector twice where there is nothing else
  if (start === chars.length) return text + (chars.at(-1) ?? '')
  let out = chars.slice(0, start).join('')
  let current = upper(chars[start]!)
  let inCapitals = isUpper(chars[start]!)
  for (const char of chars.slice(start + 1)) {
    const last = current
    current = char
    if (isConnector(current) && isConnector(last)) {
      out += last
    } else if (isConnector(last)) {
      inCapitals = isUpper(current)
      current = upper(current)
    } else {
      if (inCapitals && isUpper(current)) current = lower(current)
      else inCapitals = false
      out += last
    }
  }
  return out + current
}

function isConnector(char: string): boolean {
  return char === '-' || char === '_' || isSpace(char)
}

/** Letters of the scripts of China are words of their own each. */
function isLetter(char: string): boolean {
  return /^\p{L}$/u.test(char) && !/^[\u3400-\u4d85\u4e00-\u9fcc\u{20000}-\u{2b81d}]$/u.test(char)
}

function wordsOf(text: string): Word[] {
  const chars = [...text]
  const words: Word[] = []
  for (let at = 0; at < chars.length; ) {
    const kind = kindOf(chars[at]!)
    const start = at++
    const run = (belongs: (char: string) => boolean) => {
      while (at < chars.length && belongs(chars[at]!)) at++
    }
    if (kind === 'connector') run(isConnector)
    else if (kind === 'punctuation') run((char) => /^\p{P}$/u.test(char))
    else if (kind === 'number') run((char) => /^\p{N}$/u.test(char))
    else if (kind === 'letters') run((char) => isLetter(char) && !isUpper(char))
    else if (kind === 'other') run((char) => kindOf(char) === 'other')
    else if (at < chars.length && isUpper(chars[at]!)) {
      run(isUpper)
      // the last of several capitals begins the next word: HTTPServer
      if (at < chars.length && isLetter(chars[at]!)) at--
    } else run((char) => isLetter(char) && !isUpper(char))
    words.push({ kind, text: chars.slice(start, at).join('') })
  }
  return words
}

function kindOf(char: string): Kind {
  if (isConnector(char)) return 'connector'
  if (/^\p{P}$/u.test(char)) return 'punctuation'
  if (isUpper(char)) return 'upper'
  if (isLetter(char)) return 'letters'
  return /^\p{N}$/u.test(char) ? 'number' : 'other'
}
