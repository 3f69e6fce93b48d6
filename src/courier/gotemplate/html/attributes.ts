export type AttributeType = 'plain' | 'url' | 'css' | 'js' | 'html' | 'srcset' | 'unsafe'

const LISTED: Record<Exclude<AttributeType, 'plain' | 'js'>, string> = {
  url: 'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns',
  css: 'style',
  html: 'srcdoc',
  srcset: 'srcset',
  // they decide how a page is read, sent or trusted
  unsafe:
    'accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod formnovalidate ' +
    'http-equiv keytype language method novalidate pattern rel sandbox type value',
}
/** Known ones that would look like URLs by their names. */
const PLAIN = 'srclang'

const TYPES: ReadonlyMap<string, AttributeType> = new Map([
  [PLAIN, 'plain'],
  ...Object.entries(LISTED).flatMap(([type, names]) =>
    names.split(' ').map((name) => [name, type as AttributeType] as const),
  ),
])

/** What the value of an attribute is. @param name in lower case */
export function attributeType(name: string): AttributeType {
  let known = name
  if (name.startsWith('data-')) known = name.slice(5)
  else if (name.includes(':')) {
    const colon = name.indexOf(':')
    if (name.slice(0, colon) === 'xmlns') return 'url'
    known = name.slice(colon + 1)
  }
  const type = TYPES.get(known)
  if (type) return type
  if (known.startsWith('on')) return 'js'
  return known.includes('src') || known.includes('uri') || known.includes('url') ? 'url' : 'plain'
}
