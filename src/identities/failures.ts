import { badRequest, conflict, HttpError, notFound, notLocated } from '../kernel/http/errors.ts'

export const unknownIdentity = notLocated
export const schemaUnknown = (id: string) => badRequest(`Unable to find JSON Schema ID: ${id}`)
export const schemaBroken = (reason: string) => badRequest(reason)
export const stateInvalid = () => badRequest('identity state is not valid')
export const tooLong = (what: string, max: number) => badRequest(`${what} must not be longer than ${max} characters.`)

export const hashUnknown = () =>
  badRequest(
    'The imported password does not match any known hash format. For more information see https://www.ory.sh/dr/2',
  )

/** A new identity would share an identifier, an address or the external id with another. */
export const identityTaken = (cause: unknown) =>
  conflict('This identity conflicts with another identity that already exists.', { cause })

/** The same for a change of an existing one. */
export const valueTaken = (cause: unknown) =>
  new HttpError(409, 'Unable to insert or update resource because a resource with that value exists already', { cause })

/** The body is invalid. Kratos says so in `message`, without a reason. */
export const bodyInvalid = (message: string) => new HttpError(400, message)

export const patchInvalid = (message: string) =>
  new HttpError(400, message, { reason: 'An error occured when applying the JSON patch' })

export const patchedStateInvalid = (state: unknown) =>
  new HttpError(400, 'identity state is not valid', {
    reason: `The supplied state ('${state}') was not valid. Valid states are ('active', 'inactive').`,
  })

export const credentialMissing = (type: string) =>
  notFound(`You tried to remove a ${type} but this user have no ${type} set up.`)
export const lastFirstFactor = () => badRequest('You cannot remove the last first factor credential.')
export const identifierMissing = () => badRequest('You must provide an identifier to delete this credential.')
export const identifierUnknown = (type: string, identifier: string) =>
  notFound(`The identifier ${JSON.stringify(identifier)} is none of the ${type} credential.`)
export const credentialKept = (type: string) => badRequest(`Credentials type ${type} cannot be deleted.`)
