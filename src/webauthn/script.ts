import { createHash } from 'node:crypto'

/**
 * The script by which a page talks to an authenticator: the functions that nodes name in `onclickTrigger` and `onloadTrigger`,
 * each also with two underscores before its name. It works whether it is loaded before or after the buttons: a page that
 * allows no inline script marks its buttons with `data-trigger`.
 *
 * Only one request may run at a time. Before the button's request begins, that of the autofill is aborted and waited
 * for; some phones refuse the next one for a moment all the same, so it is tried once more.
 */
export const SCRIPT = `(() => {
  if (window.__oryWebAuthnInitialized || !window.PublicKeyCredential) return
  const RETRY_WITHIN_MS = 300
  const RETRY_AFTER_MS = 100
  const field = (name) => document.querySelector('[name="' + name + '"]')
  const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  const encode = (buffer) => {
    let text = ''
    for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte)
    return btoa(text).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '')
  }
  const withIds = (list) => list && list.map((one) => ({ ...one, id: decode(one.id) }))
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const given = (options) => (options && options.publicKey ? options.publicKey : undefined)
  const valueOf = (name) => JSON.parse(field(name).value)

  let autofill
  let justEnded = false
  async function endAutofill() {
    if (window.abortPasskeyConditionalUI) window.abortPasskeyConditionalUI.abort('another request begins')
    window.abortPasskeyConditionalUI = undefined
    if (!autofill) return
    await autofill.catch(() => {})
    autofill = undefined
    justEnded = true
    setTimeout(() => { justEnded = false }, RETRY_WITHIN_MS)
  }
  async function alone(ask) {
    await endAutofill()
    try {
      return await ask()
    } catch (error) {
      if (error.name !== 'NotAllowedError' || !justEnded) throw error
      await wait(RETRY_AFTER_MS)
      return ask()
    }
  }

  async function create(options) {
    const publicKey = { ...options, challenge: decode(options.challenge), user: { ...options.user, id: decode(options.user.id) } }
    if (options.excludeCredentials) publicKey.excludeCredentials = withIds(options.excludeCredentials)
    const made = await alone(() => navigator.credentials.create({ publicKey }))
    const { attestationObject, clientDataJSON } = made.response
    return answer(made, { attestationObject, clientDataJSON })
  }
  async function request(options, more) {
    const publicKey = { ...options, challenge: decode(options.challenge) }
    if (options.allowCredentials) publicKey.allowCredentials = withIds(options.allowCredentials)
    const used = await navigator.credentials.get({ publicKey, ...more })
    const { authenticatorData, clientDataJSON, signature, userHandle } = used.response
    return answer(used, { authenticatorData, clientDataJSON, signature, userHandle })
  }
  function answer({ id, rawId, type }, response) {
    const encoded = {}
    for (const [name, buffer] of Object.entries(response)) encoded[name] = buffer ? encode(buffer) : ''
    return JSON.stringify({ id, rawId: encode(rawId), type, response: encoded })
  }

  function send(selector, value, near) {
    const form = near && near.closest('form')
    const input = (form && form.querySelector(selector)) || document.querySelector(selector)
    input.value = value
    const sent = form || input.closest('form')
    sent.submit()
  }
  const WORDS = {
    InvalidStateError: 'This device has a key for this account already.',
    NotAllowedError: 'It was cancelled, took too long, or no key fits.',
    NotSupportedError: 'This device cannot make such a key.',
    SecurityError: 'Keys do not work at this address.',
  }
  function tell(error, near) {
    if (error.name === 'AbortError') return
    const text = (WORDS[error.name] || error.message) + ' (' + error.name + ')'
    const place = document.querySelector('[data-webauthn-error]')
    if (!place) return window.alert(text)
    const form = near && near.closest('form')
    if (form) form.append(place)
    place.textContent = text
  }

  const functions = {
    async oryWebAuthnRegistration(options, result = '[name="webauthn_register"]', trigger = '[name="webauthn_register_trigger"]') {
      const button = document.querySelector(trigger)
      try {
        send(result, await create(given(options) || JSON.parse(button.value).publicKey), button)
      } catch (error) {
        tell(error, button)
      }
    },
    async oryWebAuthnLogin(options, result = '[name="webauthn_login"]', trigger = '[name="webauthn_login_trigger"]') {
      const button = document.querySelector(trigger)
      try {
        const wanted = given(options) || JSON.parse(button.value).publicKey
        send(result, await alone(() => request(wanted)), button)
      } catch (error) {
        tell(error, button)
      }
    },
    async oryPasskeyRegistration() {
      try {
        const { credentialOptions, displayNameFieldName } = valueOf('passkey_create_data')
        const name = field(displayNameFieldName)
        const user = { ...credentialOptions.publicKey.user }
        if (name && name.value) Object.assign(user, { name: name.value, displayName: name.value })
        send('[name="passkey_register"]', await create({ ...credentialOptions.publicKey, user }))
      } catch (error) {
        tell(error, field('passkey_register'))
      }
    },
    async oryPasskeySettingsRegistration() {
      try {
        send('[name="passkey_settings_register"]', await create(valueOf('passkey_create_data').publicKey))
      } catch (error) {
        tell(error, field('passkey_settings_register'))
      }
    },
    async oryPasskeyLogin() {
      try {
        const { publicKey } = valueOf('passkey_challenge')
        send('[name="passkey_login"]', await alone(() => request(publicKey)))
      } catch (error) {
        tell(error, field('passkey_login'))
        functions.oryPasskeyLoginAutocompleteInit()
      }
    },
    async oryPasskeyLoginAutocompleteInit() {
      if (!field('passkey_challenge') || !field('passkey_login') || !field('identifier')) return
      const can = window.PublicKeyCredential.isConditionalMediationAvailable
      if (!can || !(await window.PublicKeyCredential.isConditionalMediationAvailable())) return
      await endAutofill()
      const controller = new AbortController()
      window.abortPasskeyConditionalUI = controller
      const { publicKey } = valueOf('passkey_challenge')
      autofill = request(publicKey, { mediation: 'conditional', signal: controller.signal })
      try {
        send('[name="passkey_login"]', await autofill)
      } catch {
        // The autofill's request: no button was pressed, so there is no place for an error.
      }
    },
  }
  for (const [name, run] of Object.entries(functions)) window[name] = window['__' + name] = run
  document.addEventListener('click', (event) => {
    const button = event.target && event.target.closest && event.target.closest('[data-trigger]')
    const run = button && functions[button.getAttribute('data-trigger')]
    if (!run) return
    event.preventDefault()
    run()
  })
  // Devices offer a key that was removed here until they are told so.
  const tellRemoved = () => {
    if (!window.PublicKeyCredential.signalUnknownCredential) return
    const place = document.querySelector('[data-removed-keys]')
    const tried = field('passkey_challenge') ? valueOf('passkey_challenge').unknownCredentials || [] : []
    const gone = place ? JSON.parse(place.getAttribute('data-removed-keys')) : tried
    for (const one of gone) window.PublicKeyCredential.signalUnknownCredential(one).catch(() => {})
  }
  const begin = () => {
    tellRemoved()
    if (document.querySelector('[data-trigger="oryPasskeyLoginAutocompleteInit"]')) functions.oryPasskeyLoginAutocompleteInit()
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin)
  else begin()
  window.__oryWebAuthnInitialized = true
  window.dispatchEvent(new CustomEvent('oryWebAuthnInitialized'))
})()
`

export const SCRIPT_PATH = '/.well-known/ory/webauthn.js'

/** For the attribute of that name: the page runs no other text, wherever it comes from. */
export const SCRIPT_INTEGRITY = `sha512-${createHash('sha512').update(SCRIPT).digest('base64')}`
