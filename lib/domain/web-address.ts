export const longestWebAddress = 2048;

/** An http or https address as it was written: without the blanks and control characters that a URL parser forgives. */
export const isWebAddress = (text: string): boolean =>
  text.length <= longestWebAddress && /^https?:\/\/[^\s\p{C}]+$/iu.test(text) && URL.canParse(text);

/**
 * The address of a picture as it is stored: in the spelling of the URL standard, and without a name or password in it,
 * which would be sent to whoever looks at the picture. "" is none. Undefined for what is no such address.
 */
export function canonicalPictureAddress(text: string): string | undefined {
  if (text === '') return '';
  if (!isWebAddress(text)) return undefined;
  const { href, username, password } = new URL(text);
  return username === '' && password === '' && href.length <= longestWebAddress ? href : undefined;
}
