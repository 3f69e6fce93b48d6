import assert from 'node:assert/strict'

interface Refusal {
  status: number
  error: { id?: string; reason?: string; message: string }
}

/** What a call of a generated client that must fail was answered. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (thrown) {
    const { response } = thrown as { response?: { status: number; data: { error: Refusal['error'] } } }
    if (response === undefined) throw thrown
    return { status: response.status, error: response.data.error }
  }
  assert.fail('the call succeeded')
}

/** The anti-CSRF token that a form of a flow carries. */
export function csrfTokenOf(flow: { ui: { nodes: { attributes: object }[] } }): string {
  const field = flow.ui.nodes
    .map(({ attributes }) => attributes as { name?: string; value?: unknown })
    .find(({ name }) => name === 'csrf_token')
  assert.ok(typeof field?.value === 'string' && field.value !== '', 'the form has no anti-CSRF token')
  return field.value
}
