/**
 * Cells padded with tabs to columns of multiples of eight, each cell closed by a tab: the layout that scripts around
 * Kratos cut with `awk` and `cut`. A column is as wide as its widest cell among neighbouring rows that have it.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return rows.map((row, y) => `${row.map((cell, x) => cell + tabs(cell, widthAt(rows, x, y))).join('')}\n`).join('')
}

const TAB = 8

function tabs(cell: string, width: number): string {
  return '\t'.repeat(Math.ceil((width - [...cell].length) / TAB))
}

function widthAt(rows: readonly (readonly string[])[], x: number, y: number): number {
  const has = (row: number) => (rows[row]?.length ?? 0) > x
  let [from, to] = [y, y]
  while (has(from - 1)) from -= 1
  while (has(to + 1)) to += 1
  const widest = Math.max(...rows.slice(from, to + 1).map((row) => [...row[x]!].length))
  return Math.ceil((widest + 1) / TAB) * TAB
}
