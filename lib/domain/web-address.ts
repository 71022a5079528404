import { limits } from './limits.ts';

/** True for an http or https address without the blanks and control characters that a URL parser would ignore. */
export const isWebAddress = (text: string): boolean =>
  text.length <= limits.webAddress && /^https?:\/\/[^\s\p{C}]+$/iu.test(text) && URL.canParse(text);

/** The rule for addresses of pictures, worded to follow the field's name. */
export const pictureAddressRule = 'must be an http or https address without a password in it, or empty';

/**
 * The address of a picture as it is stored, in the spelling of the URL standard; "" for no picture. Undefined if the
 * text is no http or https address, or contains a username or password, which would be sent to everyone who sees the
 * picture.
 */
export function canonicalPictureAddress(text: string): string | undefined {
  if (text === '') return '';
  if (!isWebAddress(text)) return undefined;
  const { href, username, password } = new URL(text);
  return username === '' && password === '' && href.length <= limits.webAddress ? href : undefined;
}
