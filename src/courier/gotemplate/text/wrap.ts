/**
 * Breaks lines at blanks, counted in bytes as the reference does; a letter of several bytes is never cut.
 *
 * @param cutsWords a word that is longer than a line is cut, otherwise it stands alone
 */
export function wrap(text: string, width: number, separator: string, cutsWords: boolean): string {
  const bytes = Buffer.from(text)
  const line = Math.max(width, 1)
  const parts: string[] = []
  let at = 0
  const cut = (end: number, next: number) => {
    parts.push(bytes.toString('utf8', at, end))
    at = next
  }
  while (bytes.length - at > line) {
    if (bytes[at] === 0x20) {
      at++
      continue
    }
    const blank = bytes.lastIndexOf(0x20, at + line)
    if (blank >= at) cut(blank, blank + 1)
    else if (cutsWords) {
      const end = wholeLetter(bytes, at, at + line)
      cut(end, end)
    } else {
      const next = bytes.indexOf(0x20, at + line)
      if (next < 0) break
      cut(next, next + 1)
    }
  }
  parts.push(bytes.toString('utf8', at))
  return parts.join(separator)
}

function wholeLetter(bytes: Buffer, start: number, wanted: number): number {
  let end = wanted
  while (end > start && isInside(bytes[end])) end--
  if (end > start) return end
  for (end = wanted; isInside(bytes[end]); ) end++
  return end
}

function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
