/** Makes one committed file. `file` is relative to the root of the project; the text ends in a line break. */
export interface Generator {
  readonly file: string
  readonly generate: () => string | Promise<string>
}
