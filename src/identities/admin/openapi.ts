import {
  anything,
  bool,
  type Description,
  empty,
  error,
  inPath,
  integer,
  json,
  jsonBody,
  list,
  map,
  nullable,
  OTHER_ERRORS,
  object,
  oneWord,
  PAGE_NUMBERS,
  PAGE_SIZE,
  PAGE_TOKEN,
  type Parameter,
  query,
  ref,
  text,
  time,
  uuid,
} from '../../kernel/http/openapi/openapi.ts'

const id = inPath('id', 'Id of the identity.', uuid)
const include = query('include_credential', 'Types of credentials to show with their configs.', list(text))
const identity = json('The identity.', 'identity')
const unknown = error('There is no such identity.')
const invalid = error('The body cannot be read, or the traits do not follow their schema.')
const taken = error('An identifier or the external id belongs to another identity.')

const LIST_PARAMETERS: Parameter[] = [
  ...PAGE_NUMBERS,
  PAGE_SIZE,
  PAGE_TOKEN,
  query('consistency', 'Without effect: reads are always up to date.'),
  query('ids', 'Only these; may be repeated.', list(text)),
  query('credentials_identifier', 'Only the one who signs in by it.'),
  query('preview_credentials_identifier_similar', 'Only those who sign in by something like it.'),
  include,
  query('organization_id', 'Only those of an organisation.'),
]

export const identitiesDescription: Description = {
  tag: 'identities',
  operations: [
    {
      ...{ id: 'listIdentities', method: 'get', path: '/admin/identities', port: 'admin' },
      summary: 'Lists identities; the `Link` header leads to other pages.',
      parameters: LIST_PARAMETERS,
      answers: { 200: json('The identities.', list(ref('identity'))), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'createIdentity', method: 'post', path: '/admin/identities', port: 'admin' },
      summary: 'Creates an identity, with a password, a hash of one, or none.',
      body: jsonBody('createIdentityBody', false),
      answers: { 201: identity, 400: invalid, 409: taken, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'batchPatchIdentities', method: 'patch', path: '/admin/identities', port: 'admin' },
      summary: 'Creates many identities; each tells for itself whether it could be created.',
      body: jsonBody('patchIdentitiesBody', false),
      answers: {
        200: json('One answer for each.', 'batchPatchIdentitiesResponse'),
        400: invalid,
        409: taken,
        ...OTHER_ERRORS,
      },
    },
    {
      id: 'getIdentityByExternalID',
      method: 'get',
      path: '/admin/identities/by/external/{externalID}',
      port: 'admin',
      summary: 'Shows the identity with an id of your own.',
      parameters: [inPath('externalID', 'The id of your own.'), include],
      answers: { 200: identity, 404: unknown, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getIdentity', method: 'get', path: '/admin/identities/{id}', port: 'admin' },
      summary: 'Shows an identity.',
      parameters: [id, include],
      answers: { 200: identity, 404: unknown, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateIdentity', method: 'put', path: '/admin/identities/{id}', port: 'admin' },
      summary: 'Replaces an identity. Disabling it signs it out everywhere.',
      parameters: [id],
      body: jsonBody('updateIdentityBody', false),
      answers: { 200: identity, 400: invalid, 404: unknown, 409: taken, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'patchIdentity', method: 'patch', path: '/admin/identities/{id}', port: 'admin' },
      summary: 'Changes parts of an identity by a JSON patch (RFC 6902).',
      parameters: [id],
      body: jsonBody('jsonPatchDocument', false),
      answers: { 200: identity, 400: invalid, 404: unknown, 409: taken, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'deleteIdentity', method: 'delete', path: '/admin/identities/{id}', port: 'admin' },
      summary: 'Deletes an identity and ends its sessions.',
      parameters: [
        id,
        query(
          'erase',
          '`true`: what is known of the person goes from events, messages and flows too, also after the identity was deleted.',
        ),
      ],
      answers: { 204: empty('It is gone.'), 404: unknown, ...OTHER_ERRORS },
    },
    {
      id: 'deleteIdentityCredentials',
      method: 'delete',
      path: '/admin/identities/{id}/credentials/{type}',
      port: 'admin',
      summary: 'Takes a way to sign in from an identity.',
      parameters: [
        id,
        inPath('type', 'Type of the credential.'),
        query('identifier', 'Which one, where there are several.'),
      ],
      answers: { 204: empty('It is gone.'), 404: unknown, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'listIdentitySchemas', method: 'get', path: '/schemas', port: 'public' },
      summary: 'Lists the identity schemas.',
      parameters: [...PAGE_NUMBERS, PAGE_SIZE, PAGE_TOKEN],
      answers: { 200: json('The schemas.', list(ref('identitySchemaContainer'))), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getIdentitySchema', method: 'get', path: '/schemas/{id}', port: 'public' },
      summary: 'Shows an identity schema.',
      parameters: [inPath('id', 'Its id, or base64url of it, as in `schema_url`.')],
      answers: { 200: json('The JSON schema.', map), 404: error('There is no such schema.'), ...OTHER_ERRORS },
    },
  ],
  schemas: {
    identity: object(
      { id: uuid, schema_id: text, schema_url: text, traits: anything },
      {
        external_id: text,
        credentials: { ...map, additionalProperties: ref('identityCredentials') },
        state: oneWord('active', 'inactive'),
        state_changed_at: time,
        verifiable_addresses: list(ref('verifiableIdentityAddress')),
        recovery_addresses: list(ref('recoveryIdentityAddress')),
        metadata_public: nullable(anything),
        metadata_admin: nullable({ description: 'On the admin port only.' }),
        created_at: time,
        updated_at: time,
        organization_id: nullable(uuid),
      },
    ),
    identityCredentials: object(
      {},
      { type: text, identifiers: list(text), config: map, version: integer, created_at: time, updated_at: time },
    ),
    verifiableIdentityAddress: object(
      { value: text, verified: bool, via: text, status: text },
      { id: uuid, verified_at: nullable(time), created_at: time, updated_at: time },
    ),
    recoveryIdentityAddress: object({ value: text, via: text }, { id: uuid, created_at: time, updated_at: time }),
    createIdentityBody: object(
      { schema_id: text, traits: map },
      {
        credentials: ref('identityWithCredentials'),
        external_id: text,
        state: oneWord('active', 'inactive'),
        metadata_public: anything,
        metadata_admin: anything,
        organization_id: nullable(uuid),
        verifiable_addresses: list(ref('verifiableIdentityAddress')),
        recovery_addresses: list(ref('recoveryIdentityAddress')),
      },
    ),
    updateIdentityBody: object(
      { schema_id: text, state: oneWord('active', 'inactive'), traits: map },
      {
        credentials: ref('identityWithCredentials'),
        external_id: text,
        metadata_public: anything,
        metadata_admin: anything,
      },
    ),
    identityWithCredentials: object(
      {},
      { password: object({}, { config: object({}, { password: text, hashed_password: text }) }) },
    ),
    patchIdentitiesBody: object(
      {},
      { identities: list(object({}, { create: ref('createIdentityBody'), patch_id: uuid })) },
    ),
    batchPatchIdentitiesResponse: object({}, { identities: list(ref('identityPatchResponse')) }),
    identityPatchResponse: object(
      {},
      { action: oneWord('create', 'error'), identity: uuid, patch_id: uuid, error: anything },
    ),
    jsonPatchDocument: list(object({ op: text, path: text }, { from: text, value: anything })),
    identitySchemaContainer: object({ id: text, schema: map }),
  },
}
