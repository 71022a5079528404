import { limits } from './limits.ts';

/** An http or https address as it was written: without the blanks and control characters that a URL parser forgives. */
export const isWebAddress = (text: string): boolean =>
  text.length <= limits.webAddress && /^https?:\/\/[^\s\p{C}]+$/iu.test(text) && URL.canParse(text);

/** What the address of a picture must be, as a predicate of the field. */
export const pictureAddressRule = 'must be an http or https address without a password in it, or empty';

/**
 * The address of a picture as it is stored: in the spelling of the URL standard, and without a name or password in it,
 * which would be sent to whoever looks at the picture. "" is none. Undefined for what is no such address.
 */
export function canonicalPictureAddress(text: string): string | undefined {
  if (text === '') return '';
  if (!isWebAddress(text)) return undefined;
  const { href, username, password } = new URL(text);
  return username === '' && password === '' && href.length <= limits.webAddress ? href : undefined;
}
