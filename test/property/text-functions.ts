import type { FastifyReply, FastifyRequest } from 'fastify'
import { mailAddress } from '../../src/courier/channels/mail.ts'
import { withoutSecrets } from '../../src/courier/channels/sign-in.ts'
import {
  readListQuery as readEventQuery,
  readFilter,
  readInteger,
  readPosition,
} from '../../src/events/log/list-query.ts'
import { parsePosition } from '../../src/events/log/position.ts'
import { readNewWebhook, readReplay, readRotation, readWebhookChange } from '../../src/events/webhooks/body.ts'
import { webhookKey } from '../../src/events/webhooks/signature.ts'
import { parsed } from '../../src/flows/form.ts'
import { readChange, readRefusal } from '../../src/flows/hooks/answer.ts'
import { readUi } from '../../src/flows/stored-ui.ts'
import { traitValues } from '../../src/flows/traits.ts'
import { requestedOrganization, requestedReturnTo } from '../../src/flows/urls.ts'
import { readBatchBody } from '../../src/identities/admin/batch-body.ts'
import { readClaim, readCreateBody, readUpdateBody } from '../../src/identities/admin/bodies.ts'
import { applyPatch, readPatch } from '../../src/identities/admin/json-patch.ts'
import { readListQuery as readIdentityQuery } from '../../src/identities/admin/list-query.ts'
import { asciiAddress, otherSpelling } from '../../src/identities/domains.ts'
import { isLongerThan, normaliseIdentifier, normalisePhone, trimSpace } from '../../src/identities/normalise.ts'
import { dotted, pointer, pointerStep } from '../../src/identities/schema/failure.ts'
import { FORMATS } from '../../src/identities/schema/formats.ts'
import { canonical, equal } from '../../src/identities/schema/node.ts'
import { literal, quoted } from '../../src/identities/schema/print.ts'
import { formatHolds } from '../../src/identities/schema/scalar-rules.ts'
import { createSchemas } from '../../src/identities/schema/schemas.ts'
import { assertSize } from '../../src/identities/sizes.ts'
import type { Json } from '../../src/identities/types.ts'
import { networkOf, parseAddress } from '../../src/kernel/base/address.ts'
import { parseTime } from '../../src/kernel/base/clock.ts'
import { compactJson, readJson, stringifyJson } from '../../src/kernel/base/exact-json.ts'
import { isNumber, readDecimal, sameNumber } from '../../src/kernel/base/exact-number.ts'
import { assertText, parseJson } from '../../src/kernel/base/json.ts'
import { redact } from '../../src/kernel/base/log.ts'
import { shortened } from '../../src/kernel/base/text.ts'
import { parseUrl, withoutTrailingSlashes } from '../../src/kernel/base/url.ts'
import { isUuid } from '../../src/kernel/base/uuid.ts'
import { decodeBase64 } from '../../src/kernel/crypto/base64.ts'
import { decodeGobMap } from '../../src/kernel/crypto/cookies/gob.ts'
import { decodeSecureCookie } from '../../src/kernel/crypto/cookies/securecookie.ts'
import { isCsrfCookieValue, sameCsrf, verifyCsrf } from '../../src/kernel/crypto/csrf.ts'
import { keyedName } from '../../src/kernel/crypto/keyed-name.ts'
import { isTooSimilar } from '../../src/kernel/crypto/passwords/similarity.ts'
import { safeEqual, sha256Hex } from '../../src/kernel/crypto/tokens.ts'
import { anyJsonBody, formBody, formFields, jsonBody } from '../../src/kernel/http/body.ts'
import { expireTwins, hasTwins } from '../../src/kernel/http/cookies/twins.ts'
import { type CookieAttributes, cookieValues } from '../../src/kernel/http/cookies.ts'
import { parseKeysetPage } from '../../src/kernel/http/lists/keyset.ts'
import { link, parseOffsetPage } from '../../src/kernel/http/lists/pagination.ts'
import { acceptsJson, mediaType } from '../../src/kernel/http/negotiate.ts'
import { splitUrl } from '../../src/kernel/http/not-found.ts'
import { pathUuid } from '../../src/kernel/http/path.ts'
import { submittedToken } from '../../src/kernel/http/public-hooks.ts'
import { parseQuery, queryPairs, withQuery } from '../../src/kernel/http/query.ts'
import { asciiLocation } from '../../src/kernel/http/redirects.ts'
import { resolveReturnTo } from '../../src/kernel/http/return-to.ts'
import { parseStrictUrl } from '../../src/kernel/http/strict-url.ts'
import { compileProgram, evaluate } from '../../src/kernel/jsonnet/index.ts'
import { shortUrl } from '../../src/kernel/outbound/load.ts'
import { retryAfterMs } from '../../src/kernel/outbound/retry-after.ts'
import { readLogoutBody, readNativeLogoutToken } from '../../src/logout/body.ts'
import { storedSpelling } from '../../src/methods/code/addresses.ts'
import { masked } from '../../src/methods/code/recovery-choice.ts'
import { readCode } from '../../src/methods/code/spelling.ts'
import { isTokenText } from '../../src/methods/link/token.ts'
import { readAnswer } from '../../src/methods/oidc/answers.ts'
import { toClaims } from '../../src/methods/oidc/claims.ts'
import { deviceFacts } from '../../src/sessions/http/device.ts'
import { parseClaimsMapper } from '../../src/tokens/mapper.ts'
import { compileMapper } from '../../src/tokens/mapper-jsonnet.ts'
import { escapeHtml, href } from '../../src/ui/html.ts'
import { createTexts } from '../../src/ui/texts.ts'
import { addressWords, deviceWords } from '../../src/ui/views/device-words.ts'
import { parseToken } from '../../src/verifier/jws.ts'
import { readCreation, readUse } from '../../src/webauthn/read.ts'
import { testHasher } from '../helpers/hasher.ts'
import { schemaConfig, traitsSchema } from '../unit/identities/schema-config.ts'

const NO_LIMIT = { values: 1e9, depth: 64 }
const texts = createTexts({})
const MAPPED = { session: { id: 'a' }, claims: {} }
const hasher = testHasher()

/** Traits that may hold anything, under rules that everything in them can break. */
const anything = traitsSchema(
  { email: { type: 'string', format: 'email', 'ory.sh/kratos': { credentials: { password: { identifier: true } } } } },
  {
    additionalProperties: { type: 'array', uniqueItems: true, contains: { const: 'x' }, items: { type: 'boolean' } },
    propertyNames: { maxLength: 3 },
  },
)
const schemas = await createSchemas(schemaConfig({ x: anything }), '/')
const schema = schemas.default
const list = traitsSchema({
  list: { type: 'array', uniqueItems: true, items: { oneOf: [{ type: 'string' }, { type: 'array' }] } },
})
const { default: listSchema } = await createSchemas(schemaConfig({ x: list }), '/')

/** What stands in the text if it is JSON, else the text itself. */
function json(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const KEPT = { name: 'a', path: '/', domain: '', secure: true } as unknown as CookieAttributes

function request(headers: Record<string, string>, body = ''): FastifyRequest {
  const server = { bodyLimits: { json: NO_LIMIT, fields: 1e9 } }
  const socket = { remoteAddress: '192.0.2.1', remotePort: 1 }
  const client = { address: '192.0.2.1', trusted: true }
  return { headers, body: Buffer.from(body), server, socket, client, method: 'POST' } as unknown as FastifyRequest
}
const sent = (type: string, text: string) => request({ 'content-type': type }, text)
const query = (name: string, text: string) => new URLSearchParams([[name, text]])

/** How each is called with a hostile text. */
export const CALLS: Record<string, (text: string) => unknown> = {
  'methods/code/spelling readCode': readCode,
  'methods/link/token isTokenText': isTokenText,
  'methods/oidc/claims toClaims': (text) =>
    toClaims({ sub: text, email_verified: text, updated_at: text, locale: text }),
  'webauthn/read readCreation': readCreation,
  'webauthn/read readUse': readUse,
  'courier/channels/mail mailAddress': mailAddress,
  'courier/channels/sign-in withoutSecrets': (text) => withoutSecrets(text, ['a'.repeat(1000)]),
  'flows/hooks/answer readRefusal': readRefusal,
  'flows/hooks/answer readChange': readChange,
  'events/log/list-query readFilter': (text) => readFilter(query('type', text)),
  'events/log/list-query readInteger': (text) => readInteger(query('n', text), 'n', 0),
  'events/log/list-query readListQuery': (text) => readEventQuery(query('page_token', text)),
  'events/log/list-query readPosition': (text) => readPosition(query('after', text), 'after' as never),
  'events/log/place parsePosition': (text) => parsePosition(text, 'after'),
  'events/webhooks/body readNewWebhook': (text) => [
    readNewWebhook({ url: `http://x/${text}`, timeout: text, id: text, headers: { a: text } }),
  ],
  'events/webhooks/body readReplay': (text) => readReplay({ since: text }),
  'events/webhooks/body readRotation': (text) => readRotation(json(text)),
  'events/webhooks/body readWebhookChange': (text) => readWebhookChange({ timeout: text }),
  'events/webhooks/signature webhookKey': (text) => webhookKey(`whsec_${text}`),
  'flows/stored-ui readUi': (text) => readUi(json(text)),
  'flows/form parsed': (text) => parsed(text, NO_LIMIT),
  'flows/traits traitValues': (text) => traitValues(json(text), schema.inputs),
  'flows/urls requestedReturnTo': (text) => requestedReturnTo(`http://x/?${text}`),
  'identities/admin/batch-body readBatchBody': (text) => readBatchBody({ identities: json(text) }),
  'identities/admin/bodies readClaim': (text) => readClaim({ value: text, verified_at: text }),
  'identities/admin/bodies readCreateBody': (text) => readCreateBody(json(text)),
  'identities/admin/bodies readUpdateBody': (text) => readUpdateBody(json(text)),
  'identities/admin/json-patch readPatch': (text) => readPatch([{ op: 'add', path: `/${text}`, value: 1 }]),
  'identities/admin/json-patch applyPatch': (text) =>
    applyPatch({}, [{ op: 'add', path: `/${text.slice(0, 64)}`, value: json(text) }]),
  'identities/admin/list-query readListQuery': (text) => readIdentityQuery(query('credentials_identifier', text)),
  'identities/normalise isLongerThan': (text) => isLongerThan(text, 255),
  'identities/normalise normaliseIdentifier': normaliseIdentifier,
  'identities/domains asciiAddress': asciiAddress,
  'identities/domains otherSpelling': otherSpelling,
  'events/log/position parsePosition': (text) => parsePosition(text, 'since'),
  'flows/urls requestedOrganization': (text) => requestedOrganization(`http://a/?organization=${text}`),
  'kernel/crypto/keyed-name keyedName': (text) => keyedName(new Uint8Array(32), 'test', text),
  'methods/code/addresses storedSpelling': storedSpelling,
  'methods/code/recovery-choice masked': masked,
  'identities/normalise normalisePhone': normalisePhone,
  'identities/normalise trimSpace': trimSpace,
  'identities/schema/failure dotted': (text) => dotted([text]),
  'identities/schema/failure pointer': (text) => pointer([text]),
  'identities/schema/failure pointerStep': pointerStep,
  'identities/schema/node canonical': (text) => canonical(json(text)),
  'identities/schema/node equal': (text) => equal(json(text), json(text)),
  'identities/schema/print literal': literal,
  'identities/schema/print quoted': quoted,
  'identities/schema/scalar-rules formatHolds': (text) =>
    [...FORMATS.keys()].map((format) => formatHolds(format, text)),
  'identities/sizes assertSize': (text) => assertSize('x', 1, text, text),
  'kernel/base/address networkOf': networkOf,
  'kernel/base/address parseAddress': parseAddress,
  'kernel/base/clock parseTime': parseTime,
  'kernel/base/exact-json compactJson': compactJson,
  'kernel/base/exact-json readJson': readJson,
  'kernel/base/exact-json stringifyJson': (text) => stringifyJson([text, json(text)]),
  'kernel/base/exact-number isNumber': (text) => isNumber(json(text)),
  'kernel/base/exact-number readDecimal': readDecimal,
  'kernel/base/exact-number sameNumber': (text) => sameNumber(`1${text}`, `1.0${text}`),
  'kernel/base/json assertText': assertText,
  'kernel/base/json parseJson': (text) => parseJson(text, NO_LIMIT),
  'kernel/base/log redact': redact,
  'kernel/base/text shortened': (text) => shortened(text, 100),
  'kernel/base/url parseUrl': (text) => parseUrl(text, 'http://x/'),
  'kernel/base/url withoutTrailingSlashes': withoutTrailingSlashes,
  'kernel/crypto/base64 decodeBase64': (text) => decodeBase64(text, 'url'),
  'kernel/crypto/cookies/gob decodeGobMap': (text) => decodeGobMap(Buffer.from(text)),
  'kernel/crypto/csrf isCsrfCookieValue': isCsrfCookieValue,
  'kernel/crypto/csrf verifyCsrf': (text) => verifyCsrf(text, text),
  'kernel/crypto/passwords/similarity isTooSimilar': (text) => isTooSimilar(text, text),
  'kernel/crypto/tokens safeEqual': (text) => safeEqual(text, text),
  'kernel/crypto/tokens sha256Hex': sha256Hex,
  'kernel/http/body anyJsonBody': (text) => anyJsonBody(sent('application/json', text)),
  'kernel/http/body formBody': (text) => formBody(sent('application/x-www-form-urlencoded', text)).catch(() => {}),
  'kernel/http/body formFields': (text) => formFields(sent('application/x-www-form-urlencoded', text)),
  'kernel/http/body jsonBody': (text) => jsonBody(sent('application/json', text)),
  'kernel/http/cookies/twins expireTwins': (text) => {
    const { headers } = request({ host: text })
    const asked = { headers, hostname: text, url: `/${text}` } as unknown as FastifyRequest
    expireTwins(asked, { header() {} } as unknown as FastifyReply, KEPT, new URL('http://x/'))
  },
  'methods/oidc/answers readAnswer': readAnswer,
  'kernel/crypto/csrf sameCsrf': (text) => sameCsrf(text, text),
  'kernel/http/cookies/twins hasTwins': (text) => hasTwins(request({ cookie: `a="${text}"; ${text}` }), 'a'),
  'kernel/http/cookies cookieValues': (text) => cookieValues(request({ cookie: `a="${text}"; ${text}` }), 'a'),
  'kernel/http/lists/keyset parseKeysetPage': (text) => [
    parseKeysetPage(query('page_token', Buffer.from(text).toString('base64').replaceAll('=', ''))),
  ],
  'kernel/http/lists/pagination link': (text) => link('next', '/x', new URLSearchParams(text), { page_size: '1' }),
  'kernel/http/lists/pagination parseOffsetPage': (text) => [
    parseOffsetPage(query('page_token', Buffer.from(`{"offset":"${text}`).toString('base64url'))),
  ],
  'kernel/http/negotiate acceptsJson': (text) => acceptsJson(request({ accept: text })),
  'kernel/http/negotiate isJsonRequest': (text) => acceptsJson(request({ accept: text, 'content-type': text })),
  'kernel/http/negotiate mediaType': (text) => mediaType(request({ 'content-type': text })),
  'kernel/http/not-found splitUrl': splitUrl,
  'kernel/http/path pathUuid': (text) => pathUuid({ params: { id: text } } as unknown as FastifyRequest, 'id'),
  'kernel/http/public-hooks submittedToken': (text) => [
    submittedToken(sent('application/x-www-form-urlencoded', text)),
  ],
  'kernel/base/uuid isUuid': isUuid,
  'kernel/http/query parseQuery': parseQuery,
  'kernel/http/query queryPairs': (text) => [...(queryPairs(text) as Iterable<unknown>)],
  'kernel/http/query withQuery': (text) => withQuery(`http://x/${text}`, { a: text }),
  'kernel/http/redirects asciiLocation': asciiLocation,
  'kernel/http/return-to resolveReturnTo': (text) => {
    const rules = { allowed: ['https://*.example.org/'], publicBaseUrl: 'http://x/', fallback: 'http://x/' }
    resolveReturnTo(`https://example.org/${text}`, rules)
  },
  'kernel/http/strict-url parseStrictUrl': (text) => parseStrictUrl(text),
  'kernel/outbound/load shortUrl': shortUrl,
  'kernel/outbound/retry-after retryAfterMs': (text) => retryAfterMs(text, 0 as never),
  'logout/body readLogoutBody': (text) => readLogoutBody(sent('application/json', text)).catch(() => {}),
  'logout/body readNativeLogoutToken': (text) => readNativeLogoutToken(sent('application/json', text)),
  'sessions/http/device deviceFacts': (text) => [
    deviceFacts(request({ 'user-agent': text, 'x-forwarded-for': text, 'cf-ipcity': text })),
  ],
  'kernel/jsonnet/index compileProgram': (text) => compileProgram(text, 'program'),
  'kernel/jsonnet/index evaluate': (text) => evaluate("std.extVar('text')", { file: 'program', extVars: { text } }),
  'tokens/mapper-jsonnet compileMapper': (text) => compileMapper(text, () => {})(MAPPED),
  'tokens/mapper parseClaimsMapper': (text) => parseClaimsMapper(JSON.stringify({ claims: { a: text } })),
  'ui/html escapeHtml': escapeHtml,
  'ui/html href': href,
  'ui/views/device-words addressWords': addressWords,
  'ui/views/device-words deviceWords': (text) => deviceWords(text, texts),
  'verifier/jws parseToken': parseToken,
  // Reached through an object, so not found by their declarations.
  'a secure cookie': (value) =>
    decodeSecureCookie({ name: 'a', value, secrets: ['a secret of some length'], now: 0, maxAgeSeconds: 0 }),
  'an imported hash': (text) =>
    ['$argon2id$v=19$m=', '$2a$10$', '$pbkdf2-sha256$i=', '{SSHA}', ''].map((kind) => hasher.knows(kind + text)),
  'the name of a schema': (text) => schemas.get(text),
  'an email address of traits': (text) => [schema.validate({ email: text }), schema.derive({ email: text })],
  'traits that break every rule': (text) => [schema.validate(json(text)), schema.derive(json(text))],
  'a list that breaks every rule': (text) => [listSchema.validate({ list: json(text) })],
}

/** Languages with tests of their own, of programs and data that grow: test/unit/gotemplate/bounds. */
export const ELSEWHERE = ['courier/gotemplate/']

/** Each with the reason why no hostile text gets there, or why there is nothing to time. */
export const EXCUSED: Record<string, string> = Object.fromEntries(
  (
    [
      [
        'puts a text into an object',
        [
          'credentials/descriptors isStoredType',
          'credentials/descriptors isCredentialType',
          'credentials/descriptors descriptorOf',
        ],
      ],
      ['compares short names', ['credentials/aal reaches', 'credentials/descriptor filled']],
      ['takes names of columns, not what clients send', ['credentials/sql isSet']],
      ['puts a text into an object', ['flows/errors identityDisabled', 'flows/errors locationChangeRequired']],
      ['puts a text into an object', ['flows/errors schemaUnknown', 'flows/errors schemaNotSelectable']],
      ['puts a text into an object', ['flows/errors refreshRequired', 'flows/http redirectBrowserTo']],
      ['puts a text into an object', ['flows/nodes inputNode', 'flows/nodes csrfNode', 'flows/nodes submitNode']],
      ['puts a text into an object', ['credentials/password newPassword', 'identities/failures schemaUnknown']],
      ['puts a text into an object', ['identities/failures schemaBroken', 'identities/failures tooLong']],
      ['puts a text into an object', ['identities/failures identityTaken', 'identities/failures valueTaken']],
      ['puts a text into an object', ['identities/failures bodyInvalid', 'identities/failures patchInvalid']],
      ['puts a text into an object', ['identities/failures patchedStateInvalid']],
      ['puts a text into an object', ['identities/failures credentialMissing', 'identities/failures credentialKept']],
      ['puts a text into an object', ['kernel/http/errors unavailable', 'kernel/http/errors returnToForbidden']],
      ['puts a text into an object', ['kernel/http/errors aal2Required', 'ui/html trusted']],
      ['puts a text into an object', ['methods/code/login/form refusedNodes', 'ui/views/facts fact']],
      ['compares a number', ['ui/few-codes areFew']],
      ['puts a text into an object', ['methods/code/recovery-choice firstScreen']],
      [
        'puts a text into an object',
        ['addressNodes', 'choiceNodes', 'confirmNodes', 'sentToNodes'].map(
          (name) => `methods/code/recovery-choice-form ${name}`,
        ),
      ],
      ['takes a name that we give', ['kernel/jsonnet/programs createPrograms']],
      ['a part of others that are timed', ['methods/oidc/id-token verifyIdToken']],
      [
        'looks at a type',
        ['methods/oidc/id-token mayBeNewKey', 'flows/refused isTaken', 'flows/registration/refusal refusedBy'],
      ],
      ['looks at a type', ['identities/types isObject', 'kernel/base/go-boolean goBoolean']],
      ['looks at a type', ['identities/schema/node asNumber', 'identities/schema/node asString']],
      ['looks at a type', ['identities/schema/node asArray', 'identities/schema/node asObject']],
      ['looks at a type', ['identities/schema/node typeOf', 'identities/schema/node member']],
      ['a part of others that are timed', ['identities/admin/bodies asBody', 'identities/admin/bodies assertMembers']],
      ['a part of others that are timed', ['identities/admin/bodies readUuid', 'identities/admin/bodies readState']],
      ['a part of others that are timed', ['identities/admin/list-query readInclude', 'flows/urls requestQuery']],
      ['a part of others that are timed', ['kernel/http/body rawBody']],
      ['a part of others that are timed', ['kernel/http/query queryValue', 'kernel/http/query queryValues']],
      ['a part of others that are timed', ['identities/schema/scalar-rules numberFailures', 'flows/http callerOf']],
      ['texts of the server or the operator', ['events/webhooks/signature webhookHeaders', 'flows/http signInBrowser']],
      ['texts of the server or the operator', ['identities/schema/inputs schemaInputs', 'identities/schema/link link']],
      ['texts of the server or the operator', ['identities/schema/patterns compilePattern']],
      ['has a test of its own, of patterns and texts', ['identities/schema/patterns isPattern']],
      [
        'texts of the server or the operator',
        ['identities/schema/schemas encodeSchemaId', 'identities/sql selectListed'],
      ],
      [
        'texts of the server or the operator',
        ['identities/store-write createIdentityWriter', 'sessions/lifecycle tombstoned'],
      ],
      ['texts of the server or the operator', ['sessions/lifecycle live', 'sessions/lifecycle notLive']],
      [
        'texts of the server or the operator',
        ['sessions/lifecycle lastEnd', 'sessions/lifecycle nextEnd', 'sessions/lifecycle endedByRule'],
      ],
      ['texts of the server or the operator', ['sessions/sql lockIdentity', 'sessions/sql stillProven']],
      ['texts of the server or the operator', ['kernel/base/address addressSet', 'kernel/crypto/base64 encodeBase64']],
      ['texts of the server or the operator', ['kernel/crypto/csrf maskCsrf', 'kernel/crypto/csrf csrfCookieName']],
      ['texts of the server or the operator', ['kernel/crypto/tokens derivedLogoutToken']],
      ['texts of the server or the operator', ['kernel/crypto/tokens logoutPlaceholder']],
      [
        'texts of the server or the operator',
        ['kernel/http/redirects redirectRoutes', 'kernel/outbound/load loadJson'],
      ],
      ['texts of the server or the operator', ['kernel/outbound/load loadText', 'kernel/outbound/load parseJson']],
      ['texts of the server or the operator', ['kernel/outbound/fetch fetchText', 'kernel/outbound/guard guard']],
      ['texts of the server or the operator', ['kernel/outbound/guard isGuarded', 'tokens/keys firstSigningKey']],
      ['texts of the server or the operator', ['kernel/outbound/addresses isPrivateAddress', 'ui/headers pageHeaders']],
      ['texts of the server or the operator', ['kernel/http/lists/keyset keysetLinks', 'verifier/ended seqOf']],
      ['texts of the server or the operator', ['kernel/http/lists/pagination offsetLinks', 'ui/links beginLink']],
      ['texts of the server or the operator', ['sessions/store-suspend createSessionSuspendStore']],
      ['a part of others that are timed', ['kernel/jsonnet/compile/compiler compileVariable']],
      ['a part of others that are timed', ['kernel/jsonnet/compile/compiler variable', 'kernel/jsonnet/text quote']],
      [
        'a part of others that are timed',
        ['kernel/jsonnet/numbers withoutZeros', 'tokens/mapper-filled parseFilledMapper'],
      ],
      [
        'puts a text into an object',
        ['kernel/jsonnet/compile/compiler staticError', 'kernel/jsonnet/std/index inLibrary'],
      ],
      ['has a test of its own, of programs', ['kernel/jsonnet/text compareText']],
      ['a digest', ['kernel/crypto/passwords/argon2 hashArgon2', 'kernel/crypto/passwords/bcrypt hashBcrypt']],
      ['a digest', ['kernel/crypto/passwords/md4 hmacMd4', 'kernel/crypto/passwords/md4 md4']],
      ['texts of the server or the operator', ['kernel/http/errors freshProofRequired']],
      ['a digest', ['kernel/crypto/one-time isHashOf', 'kernel/crypto/one-time keyedHash']],
      ['a digest', ['methods/oidc/way-back/state bindingOf', 'methods/password/share shareOf']],
      ['puts a text into an object', ['identities/failures identifierUnknown', 'methods/oidc/generic bearer']],
      ['puts a text into an object', ['methods/code/recovery-form askNodes', 'methods/code/recovery-form sentNodes']],
      ['puts a text into an object', ['methods/link/form linkNodes', 'webauthn/nodes keyButton']],
      ['puts a text into an object', ['webauthn/nodes removeButton', 'webauthn/nodes scriptNode']],
      ['puts a text into an object', ['methods/oidc/sign-in authenticationOf', 'sessions/store-upstream noteUpstream']],
      ['puts a text into an object', ['methods/oidc/errors invalidConfiguration', 'methods/oidc/errors upstreamError']],
      ['takes a piece of fixed length', ['methods/oidc/errors notInitialized', 'methods/oidc/errors untrustworthy']],
      ['a part of others that are timed', ['methods/oidc/claims member', 'methods/oidc/claims textAt']],
      [
        'a part of others that are timed',
        ['flows/urls requestedLoginChallenge', 'kernel/http/negotiate isSpeculative'],
      ],
      ['a part of others that are timed', ['webauthn/challenge inStoredOrder', 'webauthn/keys handleOf']],
      [
        'texts of the server or the operator',
        ['kernel/base/go-duration goDuration', 'kernel/base/uuid formatUuid', 'kernel/crypto/seal createSeal'],
      ],
      ['texts of the server or the operator', ['methods/lookup_secret/codes storedCodes', 'methods/oidc/generic at']],
      ['texts of the server or the operator', ['methods/lookup_secret/codes withUsed', 'webauthn/keys readKey']],
      ['texts of the server or the operator', ['methods/oidc/kinds/microsoft anyTenant']],
      ['a part of others that are timed', ['ui/links beginInstead']],
      ['texts of the server or the operator', ['methods/totp/qr qrImage', 'methods/totp/secret secretOf']],
      ['texts of the server or the operator', ['webauthn/challenge readChallenge', 'webauthn/enrol newKey']],
      ['texts of the server or the operator', ['webauthn/origins comparableOrigin']],
      ['texts of the server or the operator', ['webauthn/fitting noneFits']],
      ['takes six digits, cut before', ['methods/totp/code judgeCode']],

      ['puts a text into an object', ['credentials/provider-accounts accountIdentifier', 'flows/http sendTo']],
      ['puts a text into an object', ['flows/nodes imageNode', 'flows/nodes textNode']],
      ['looks at a type', ['flows/proof/links refuseSpeculative']],
      [
        'a part of others that are timed',
        ['credentials/provider-accounts accountsOf', 'credentials/provider-accounts textOf'],
      ],
      [
        'texts of the server or the operator',
        ['courier/channels/channel failed', 'courier/channels/smtp-uri parseSmtpUri'],
      ],
      ['a part of others that are timed', ['flows/attempt problemsOf', 'flows/registration/refusal refusedBy']],
      ['a part of others that are timed', ['flows/hooks/request-facts requestFacts']],
      ['a digest', ['kernel/crypto/tokens storedToken', 'kernel/crypto/tokens storedForms']],
    ] as [string, string[]][]
  ).flatMap(([reason, names]) => names.map((name) => [name, reason])),
)
