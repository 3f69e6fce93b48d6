import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The rules of ARCHITECTURE.md, held to the tree. Each finding names file and line, so that it can be mended at once. */
const root = fileURLToPath(new URL('../../', import.meta.url))

interface Import {
  line: number
  /** path below src without `.ts`, or the name of a package */
  target: string
  typeOnly: boolean
}

interface Source {
  /** path below src */
  path: string
  text: string
  imports: Import[]
}

const sources = readSources()
const folders = new Set(sources.flatMap(({ path }) => (path.includes('/') ? [path.split('/')[0]!] : [])))
/** What is no feature: the kernel knows none of them, the others put them together or stand beside them. */
const NOT_FEATURES = ['kernel', 'config', 'commands', 'compose', 'ops', 'verifier']
const featureOf = (path: string) => {
  const [first, ...rest] = path.split('/')
  return rest.length === 0 || !folders.has(first!) || NOT_FEATURES.includes(first!) ? undefined : first
}
const inFeature = sources.filter(({ path }) => featureOf(path) !== undefined)
const within = (...roots: string[]) => sources.filter(({ path }) => roots.some((root) => path.startsWith(`${root}/`)))
const isWeb = (target: string) => target === 'fastify' || target.startsWith('@fastify/')
const isStore = (path: string) => /^(store|sql)(-[a-z-]+)?(\.ts)?$/.test(basename(path))
const isRoutes = (path: string) => /^routes(-[a-z-]+)?(\.ts)?$/.test(basename(path))
// What describes the routes to clients belongs to HTTP as much as what serves them.
const httpSide = inFeature.filter(
  ({ path, imports }) => /^openapi\b/.test(basename(path)) || imports.some(({ target }) => isWeb(target)),
)

describe('imports point inward', () => {
  it('the kernel and the configuration know no feature', () => {
    holds(within('kernel', 'config'), (_, { target }) => featureOf(target) === undefined)
    holds(within('kernel'), (_, { target }) => !/^(commands|compose|ops|verifier)\//.test(target))
  })

  it('no path of a feature stands in the kernel', () => {
    const names = [
      'self-service',
      'admin',
      'sessions?',
      'schemas',
      'identities',
      'courier',
      'events',
      'webhooks',
      'ui',
      'logout',
    ]
    lacks(within('kernel'), new RegExp(`['"\`]\\^?/(${names.join('|')})\\b`))
  })

  it('below HTTP nothing knows HTTP, and HTTP knows no SQL', () => {
    const below = within('kernel/base', 'kernel/db', 'kernel/crypto', 'kernel/outbound', 'config')
    holds(below, (_, { target }) => !target.startsWith('kernel/http/') && !isWeb(target))
    // The error handler gives the three failures of a store their status.
    holds(within('kernel/http'), (_, { target, typeOnly }) => {
      return !target.startsWith('kernel/db/') || typeOnly || target === 'kernel/db/client'
    })
  })

  it('what reads requests asks a flow or a service, never a store', () => {
    holds(httpSide, (_, { target }) => !isStore(target) && !target.startsWith('kernel/db/'))
    // A flow that could be reached by HTTP only could not be tested, or reused, without it.
    holds(httpSide, ({ path }) => !/^(flow|service)\b/.test(basename(path)))
  })

  it('the middle knows neither requests nor statements', () => {
    const middle = inFeature.filter((source) => !httpSide.includes(source) && !isStore(source.path))
    const withRequests = httpSide.map(({ path }) => path.replace(/\.ts$/, ''))
    holds(middle, (_, { target, typeOnly }) => typeOnly || !withRequests.includes(target))
    // Plain functions on plain values: the table of errors, two that build and judge URLs, and words for descriptions.
    const values = ['errors', 'query', 'return-to', 'openapi/openapi'].map((name) => `kernel/http/${name}`)
    holds(
      middle,
      (_, { target, typeOnly }) => !target.startsWith('kernel/http/') || typeOnly || values.includes(target),
    )
    // Transactions pass through as a value; only a store runs statements on them. Conflict is what a store throws.
    holds(
      middle,
      (_, { target, typeOnly }) => !target.startsWith('kernel/db/') || typeOnly || target === 'kernel/db/client',
    )
  })

  it('a store knows the database, its own feature and types', () => {
    const stores = inFeature.filter(({ path }) => isStore(path))
    holds(stores, (_, { target }) => !isWeb(target) && !target.startsWith('kernel/http/') && !isRoutes(target))
    holds(stores, (_, { target, typeOnly }) => typeOnly || !/(^|\/)(service|flow)$/.test(target))
  })

  it('a feature uses the stores of no other', () => {
    holds(inFeature, ({ path }, { target, typeOnly }) => {
      if (featureOf(target) === undefined || featureOf(target) === featureOf(path)) return true
      // Statements over joined tables share their column lists: a session comes with its identity in one round trip.
      const shared = basename(target) === 'sql' || target === 'flows/store'
      return !isStore(target) || typeOnly || (isStore(path) && shared)
    })
  })

  it('who is signed in is asked in one place, for routes that need it', () => {
    // Pages that greet callers who are signed in, and others too.
    const pages = ['ui/routes-account.ts', 'ui/routes-logout-page.ts']
    const routes = sources.filter(({ path }) => isRoutes(path) && !pages.includes(path))
    lacks(routes, /\bsessions\.resolve\(/)
  })

  it('a method knows no request, no other method, and flows by their interfaces; flows know no method', () => {
    const methods = within('methods').filter(({ path }) => path !== 'methods/index.ts' && !isStore(path))
    assert.ok(methods.length > 3, 'the methods are elsewhere')
    const folder = (path: string) => path.split('/').slice(0, 2).join('/')
    holds(methods, ({ path }, { target }) => !target.startsWith('methods/') || folder(target) === folder(path))
    holds(methods, ({ path }, { target }) => isRoutes(path) || !isWeb(target))
    holds(within('flows'), (_, { target }) => !target.startsWith('methods/'))
  })

  it('only the composition root builds stores and registers routes', () => {
    const outside = sources.filter(({ path }) => featureOf(path) === undefined && !/^(app\.ts|compose\/)/.test(path))
    holds(outside, (_, { target, typeOnly }) => typeOnly || featureOf(target) === undefined || !isRoutes(target))
  })

  it('nothing imports in a circle', () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [
        path.replace(/\.ts$/, ''),
        imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target),
      ]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (node: string, trail: string[]) => {
      if (trail.includes(node)) circles.push([...trail.slice(trail.indexOf(node)), node].join(' → '))
      if (trail.includes(node) || done.has(node)) return
      for (const next of graph.get(node) ?? []) walk(next, [...trail, node])
      done.add(node)
    }
    for (const node of graph.keys()) walk(node, [])
    assert.deepEqual(circles, [])
  })
})

describe('what comes from outside is handed in', () => {
  const mayTouch = ['cli.ts', 'serve.ts', 'kernel/base/clock.ts']
  const inside = sources.filter(({ path }) => !mayTouch.includes(path))

  for (const [what, pattern] of [
    ['the process', /(?<![\w.'`])process\.(?!\w*\.test)/],
    ['the wall clock', /\bDate\.now\(|\bnew Date\(\s*\)/],
    ['randomness', /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(|\bgetRandomValues\(/],
  ] as const) {
    it(`${what} is reached in cli.ts, serve.ts and the clock only`, () => lacks(inside, pattern))
  }
})

describe('traps', () => {
  it('URL.canParse is not used: Node 20 refuses letters such as ü once it runs compiled', () =>
    lacks(sources, /\bcanParse\(/))
})

describe('types of credentials', () => {
  /** Files that say the word for another reason, or because the contract does. */
  const OTHERWISE: Record<string, string> = {
    'kernel/db/postgres/dsn.ts': 'the password of a database',
    'kernel/http/error-handler.ts': 'codes of errors',
    'ops/metrics-http.ts': 'a label of a metric',
    'courier/templates/samples.ts': 'an entry of a list for templates',
    'webauthn/nodes.ts': 'the group of nodes that shows keys and their script',
    'webauthn/messages.ts': 'a word that people read',
    'ui/nodes.ts': 'type of an input, which shows no value',
    'identities/admin/bodies.ts': 'member of a config: one to be hashed',
    'identities/admin/batch.ts': 'member of a body: one to be hashed',
    'identities/creation.ts': 'member of a body',
    'identities/schema/inputs.ts': 'an input of a trait of that name, as Kratos shows it',
    'commands/identities/identities.ts': 'the one type that the command of Kratos shows',
    'flows/engine/order.ts': 'groups of nodes',
    'flows/login/form.ts': 'groups of nodes, in their order',
    'flows/registration/form.ts': 'groups of nodes, in their order',
    'flows/settings/form.ts': 'groups of nodes, in their order',
    'flows/nodes.ts': 'an input of that name, and where its message stands',
  }
  it('are decided by their descriptors: no other file knows one by its name', () => {
    const elsewhere = sources.filter(
      // Keys of the configuration carry these names too, and members of documented bodies. Recovery and verification are
      // by `code` or by `link`, as their key `use` says: that is no type of credential.
      ({ path }) =>
        !/^(credentials|methods|config|flows\/(recovery|verification))\/|\/openapi\.ts$/.test(path) &&
        !Object.hasOwn(OTHERWISE, path),
    )
    lacks(elsewhere, /'(password|oidc|saml|totp|lookup_secret|webauthn|passkey|code|link_recovery|code_recovery)'/)
    assert.deepEqual(
      Object.keys(OTHERWISE).filter((path) => !sources.some((source) => source.path === path)),
      [],
    )
  })
})

describe('statements', () => {
  it('end a session, and tell whether one has ended, in sessions/lifecycle alone', () => {
    // What watches another program in a shared database writes down what that one did, and counts as it does.
    const elsewhere = sources.filter(({ path }) => !/^(sessions\/lifecycle(-[a-z]+)?\.ts$|adopt\/)/.test(path))
    lacks(elsewhere, /active\s*=\s*false|select gen_random_uuid\(\), 'session\.ended'/)
    lacks(elsewhere, /from lethe\.tombstones x where|\bactive and \w+\.expires_at >/)
  })

  it('list their columns', () => {
    // A CTE of the same statement may be passed on whole.
    lacks(inFeature, /\bselect\s+\*|\breturning\s+\*/i)
  })

  it('name their parameters where there are more than six', () => {
    lacks(
      sources.filter(({ text }) => /\bsql\(/.test(text)),
      /\$(?:[7-9]|[1-9]\d)\b/,
    )
  })

  it('have names that tell them apart', () => {
    const named = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\bsql\(\s*'([^']+)'/g)].map((match) => ({ path, name: match[1]! })),
    )
    assert.ok(named.length > 10, 'the pattern that finds statements matches nothing any more')
    const first = new Map<string, string>()
    const twice = named.filter(({ name, path }) => first.has(name) || !first.set(name, path))
    assert.deepEqual(twice, [], 'a prepared statement is found by its name')
    const odd = named.filter(({ name }) => !/^[a-z_]+\.[a-z0-9_]+$/.test(name))
    assert.deepEqual(odd, [], 'names are `feature.what_it_does`: they become metric labels')
  })

  it('of tests have one text for a name: they share connections', () => {
    const texts = new Map<string, string>()
    const other = testFiles().flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bsql\(\s*'(test\.[^']+)',\s*(['"`])(.*?)\2/gs)].flatMap(
        ([, name, , text]) => {
          const same = (texts.get(name!) ?? text!).replace(/\s+/g, ' ') === text!.replace(/\s+/g, ' ')
          texts.set(name!, text!)
          return same ? [] : [`${relative(root, file)}: ${name}`]
        },
      ),
    )
    assert.ok(texts.size > 10, 'the pattern that finds statements matches nothing any more')
    assert.deepEqual(other, [])
    const byHand = testFiles().filter((file) => /\bname: ['"`]test\./.test(readFileSync(file, 'utf8')))
    assert.deepEqual(
      byHand.map((file) => relative(root, file)),
      [],
      'made without sql(), which this looks for',
    )
  })
})

describe('words', () => {
  it('name the actor: caller, owner, operator, another node', () => {
    const vague = /\b(somebody|whoever|whomever|nobody|anybody)\b/i
    const found = sources.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => (vague.test(line) ? [`src/${path}:${i + 1} ${line.trim()}`] : [])),
    )
    assert.deepEqual(found, [])
  })
})

describe('size', () => {
  it('no file has more than 300 lines, and half have fewer than 90', () => {
    const all = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    assert.deepEqual(
      all.filter(({ lines }) => lines > 300),
      [],
    )
    const sorted = all.map(({ lines }) => lines).sort((a, b) => a - b)
    assert.ok(sorted[Math.floor(sorted.length / 2)]! < 90, `median ${sorted[Math.floor(sorted.length / 2)]}`)
  })

  it('no folder has more than 20 files', () => {
    const count = new Map<string, number>()
    for (const { path } of sources) count.set(dirname(path), (count.get(dirname(path)) ?? 0) + 1)
    assert.deepEqual(
      [...count].filter(([, files]) => files > 20),
      [],
    )
  })

  it('folders are at most three deep', () => {
    const deep = sources.map(({ path }) => path).filter((path) => path.split('/').length - 1 > 3)
    assert.deepEqual(deep, [])
  })
})

describe('the rules can fail', () => {
  const sample: Source = {
    path: 'logout/routes.ts',
    text: "import { a } from './store.ts'\nconst t = Date.now()\n",
    imports: [{ line: 1, target: 'logout/store', typeOnly: false }],
  }
  it('a forbidden import is found', () =>
    assert.throws(() => holds([sample], (_, { target }) => !isStore(target)), /routes.ts:1 → logout\/store/))
  it('a forbidden word is found', () => assert.throws(() => lacks([sample], /Date\.now\(/), /routes.ts:2/))
})

function holds(files: Source[], rule: (source: Source, imported: Import) => boolean): void {
  const broken = files.flatMap((source) =>
    source.imports
      .filter((imported) => !rule(source, imported))
      .map(({ line, target }) => `src/${source.path}:${line} → ${target}`),
  )
  assert.deepEqual(broken, [])
}

function lacks(files: Source[], pattern: RegExp): void {
  const found = files.flatMap(({ path, text }) =>
    withoutComments(text)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`src/${path}:${i + 1} ${line.trim()}`] : [])),
  )
  assert.deepEqual(found, [])
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, '')).replace(/^\s*\/\/.*$/gm, '')
}

function testFiles(): string[] {
  const names = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(root, 'test', name))
}

function readSources(): Source[] {
  const base = join(root, 'src')
  const names = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((name) => /\.m?[jt]s$/.test(name))
  assert.ok(names.length > 50, 'src is not where this test looks')
  return names.map((path) => {
    const text = readFileSync(join(base, path), 'utf8')
    return { path, text, imports: importsOf(path, text) }
  })
}

function importsOf(path: string, text: string): Import[] {
  const pattern =
    /^(?:import\s+(type\s+)?(?:([^'"]*?)\s+from\s+)?|export\s+(type\s+)?(\{[^}]*\}|\*)\s+from\s+)'([^']+)'/gm
  return [...text.matchAll(pattern)].map((match) => {
    const names = match[2] ?? match[4] ?? ''
    const from = match[5]!
    const target = from.startsWith('.')
      ? relative('/src', join('/src', dirname(path), from)).replace(/\.ts$/, '')
      : from
    const line = text.slice(0, match.index + match[0].length).split('\n').length
    return { line, target, typeOnly: (match[1] ?? match[3]) !== undefined || onlyTypes(names) }
  })
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const list = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1]
  const words = list?.split(',').map((word) => word.trim())
  return words?.filter((word) => word !== '').every((word) => word.startsWith('type ')) ?? false
}
