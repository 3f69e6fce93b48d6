/** The beginning of a text from outside, whose length is not ours. Never splits a character. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 2)
  const splits = last >= 0xd800 && last <= 0xdbff
  return `${text.slice(0, splits ? max - 2 : max - 1)}…`
}
