export interface StreamMessage {
  /** the last id that was sent, with this message or before */
  id: string
  event: string
  /** undefined for a heartbeat */
  data: string | undefined
}

/** Messages of a stream of Server-Sent Events, also those without data: their ids move the position to resume from. */
export async function* readMessages(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamMessage> {
  const decoder = new TextDecoder()
  let rest = ''
  let id = ''
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => field(line)))
      id = fields.get('id') ?? id
      yield { id, event: fields.get('event') ?? 'message', data: fields.get('data') }
    }
  }
}

function field(line: string): [string, string] {
  const at = line.indexOf(':')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')]
}
