import assert from 'node:assert/strict'

/** Creates an identity with a password through the admin API and gives its id. */
export async function importAccount(adminUrl: string, email: string, password: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/admin/identities`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      schema_id: 'default',
      traits: { email },
      credentials: { password: { config: { password } } },
    }),
  })
  const body = (await answer.json()) as { id: string }
  assert.equal(answer.status, 201, JSON.stringify(body))
  return body.id
}

/** Signs in as an app does, without a browser, and gives the session token. */
export async function nativeLogin(publicUrl: string, identifier: string, password: string): Promise<string> {
  const flow = (await (await fetch(`${publicUrl}/self-service/login/api`)).json()) as { ui: { action: string } }
  const answer = await fetch(flow.ui.action, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ method: 'password', identifier, password }),
  })
  const body = (await answer.json()) as { session_token: string }
  assert.equal(answer.status, 200, JSON.stringify(body))
  return body.session_token
}
