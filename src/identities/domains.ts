import { domainToASCII, domainToUnicode } from 'node:url'

/** Longer texts are no address of mail, and are left as they are. */
const MAX_ADDRESS = 320

/**
 * An address with the ASCII form of its domain, in which addresses are stored: the format `email` takes no other. What is no
 * address stays as it is.
 * @see https://www.unicode.org/reports/tr46/
 */
export const asciiAddress = (text: string): string => respelled(text, domainToASCII) ?? text

/** The same address with its domain in the other form, ASCII or Unicode; undefined where both are one. */
export function otherSpelling(text: string): string | undefined {
  const other = respelled(
    text,
    /[\u0080-\u{10ffff}]/u.test(text.slice(text.lastIndexOf('@'))) ? domainToASCII : domainToUnicode,
  )
  return other === text ? undefined : other
}

function respelled(text: string, convert: (domain: string) => string): string | undefined {
  const at = text.length > MAX_ADDRESS ? -1 : text.lastIndexOf('@')
  const domain = text.slice(at + 1)
  // Anything else would be parsed as the host of a URL, which may end anywhere.
  if (at < 1 || !/^[\p{L}\p{M}\p{N}.\-\u00b7\u3002]+$/u.test(domain) || !/[\u0080-\u{10ffff}]|xn--/iu.test(domain))
    return undefined
  const converted = convert(domain)
  return converted === '' ? undefined : `${text.slice(0, at)}@${converted}`
}
