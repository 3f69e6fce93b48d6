const PIECE =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0{1,30}|9{1,30})(?![0-9])/g

/** A part of a time, or the text between two. */
export interface Piece {
  text: string
  isText: boolean
}

export const MONTHS = 'January February March April May June July August September October November December'.split(' ')
export const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Cuts a layout, which is how Go would write Mon Jan 2 15:04:05 -0700 MST 2006. */
export function piecesOf(layout: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const found of layout.matchAll(PIECE)) {
    if (found.index > at) pieces.push({ text: layout.slice(at, found.index), isText: true })
    pieces.push({ text: found[0], isText: false })
    at = found.index + found[0].length
  }
  if (at < layout.length) pieces.push({ text: layout.slice(at), isText: true })
  return pieces
}
