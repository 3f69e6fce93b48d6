/** The address of the database cannot be used. The message names the part and the remedy, never the address itself. */
export class DsnError extends Error {
  override readonly name = 'DsnError'
}
