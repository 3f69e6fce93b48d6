/**
 * A receiver of events in a process of its own, so that it can be killed. What it gets it writes to stdout, one JSON
 * object a line, before it answers. POST /control changes how it answers: { status, delayMs, headers, hang, size }.
 */
import { createServer } from 'node:http'

let how = { status: 204, delayMs: 0, headers: {}, hang: false, size: 0 }

const server = createServer((req, res) => {
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8')
    if (req.url === '/control') {
      how = { ...how, ...JSON.parse(body) }
      return res.end()
    }
    process.stdout.write(`${JSON.stringify({ url: req.url, headers: req.headers, body })}\n`)
    if (how.hang) return
    const { status, headers, size, delayMs } = how
    setTimeout(() => res.writeHead(status, headers).end('x'.repeat(size)), delayMs)
  })
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
// its life hangs on a pipe from the tests
process.stdin.on('end', () => process.exit()).resume()
