import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { badRequest, HttpError } from '../kernel/http/errors.ts'
import { type KeysetPage, keysetLinks, parseKeysetPage } from '../kernel/http/lists/keyset.ts'
import { splitUrl } from '../kernel/http/not-found.ts'
import { pathUuid } from '../kernel/http/path.ts'
import type { CourierMessages } from './messages.ts'
import { MESSAGE_STATUS, type MessageFilter, type MessageStatus } from './types.ts'

/** The prefix /admin is taken off before routing. @see Kratos listCourierMessages, getCourierMessage */
export function courierAdminRoutes(d: { courierMessages: CourierMessages }): FastifyPluginAsync {
  return async (app) => {
    app.get('/courier/messages', list)
    app.get('/courier/messages/:id', (req) => d.courierMessages.get(pathUuid(req, 'id')))
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    const [path, text] = splitUrl(req.url)
    const query = new URLSearchParams(text)
    const filter = filterOf(query)
    const page = pageOf(query)
    const { messages, next } = await d.courierMessages.list(filter, page)
    reply.header('link', keysetLinks(`/admin${path}`, query, page.size, next))
    return messages
  }
}

function filterOf(query: URLSearchParams): MessageFilter {
  const status = query.get('status') ?? undefined
  if (status !== undefined && !Object.hasOwn(MESSAGE_STATUS, status)) throw badRequest('Message status is not valid')
  const recipient = query.get('recipient') || undefined
  if (recipient?.includes('\0')) throw badRequest('The query parameter "recipient" holds a NUL character.')
  return { recipient, status: status as MessageStatus | undefined }
}

/** Kratos answers 400 to a token that it cannot read, with a body that says 500. */
function pageOf(query: URLSearchParams): KeysetPage {
  try {
    return parseKeysetPage(query, { usual: 10, most: 500 })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw new HttpError(500, 'The query parameter "page_size" or "page_token" cannot be read.', { shownStatus: 400 })
  }
}
