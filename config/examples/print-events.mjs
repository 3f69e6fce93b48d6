// Prints each event that comes, and checks nothing: a receiver for a first look.
import { createServer } from 'node:http'

createServer(async (req, res) => {
  let body = ''
  for await (const chunk of req) body += chunk
  res.writeHead(204).end()
  const { type, cause, session_id, actor } = JSON.parse(body).data
  console.log(`${type} ${cause ?? ''} ${session_id} by ${JSON.stringify(actor)}`)
}).listen(Number(process.env.PORT ?? 8080))
