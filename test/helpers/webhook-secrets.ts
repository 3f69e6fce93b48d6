const bytes = (count: number, encoding: 'base64' | 'base64url' = 'base64') =>
  Buffer.alloc(count, 0xfb).toString(encoding)
const good = `whsec_${bytes(32)}`

/** Secrets of 16 letters and more with which no receiver could verify, or which are something else. */
export const UNVERIFIABLE = [
  ...[`whsec_${bytes(32, 'base64url')}`, `whsec_${bytes(24, 'base64url')}`, `whsec_${bytes(32).replace('=', '')}`],
  ...[`whsec_${bytes(31)}!`, `whsec_!${bytes(32)}`, `whsec_${bytes(32)}=`, `whsec_${bytes(12)} ${bytes(12)}`],
  ...[`whsec_${bytes(9)}`, `whsec_${bytes(23)}`, `whsec_${bytes(65)}`, 'whsec_not base64 at all', 'whsec_whsec_whsec_'],
  ...[
    ` ${good}`,
    `${good}\n`,
    `${good}\r\n`,
    `${good} `,
    `\ufeff${good}`,
    `\t${good}`,
    'a text of my own \n',
    ' a text of my own',
  ],
  ...[`v1,${good}`, `v1,${bytes(32)}`, `v1a,${bytes(64)}`, `V1,${good}`, `"${good}"`, `'${good}'`, `Bearer ${good}`],
  ...[good.replace('whsec_', 'WHSEC_'), good.replace('whsec_', 'Whsec_'), `whsk_${bytes(64)}`, `whpk_${bytes(32)}`],
  ...['first line of text\nsecond line of text', 'half a letter \ud800 of a pair'],
]

/** Secrets with which the libraries of receivers verify. */
export const VERIFIABLE = [
  ...[24, 25, 26, 32, 64].map((count) => `whsec_${bytes(count)}`),
  ...[
    'a text of my own choice',
    'sixteen letters.',
    'M\u00fcller-Stra\u00dfe 17, Hof',
    bytes(32),
    'version v1, of my text',
  ],
]
