import { parseId } from './ids.ts';
import { limits } from './limits.ts';

/**
 * An uploaded file: the number of the file, and the user who uploaded it. On the wire its id is `{ownerId}-{number}`, so
 * that the id alone says whose it is. Clients must treat it as opaque.
 */
export type FileId = { ownerId: number; number: number };

/** The contents that can be read under a file's address: the file itself, or the small picture made of it. */
export type FileVariant = 'file' | 'thumbnail';

export type FileAddress = { file: FileId; variant: FileVariant };

const folder = '/files/';
const thumbnailSuffix = '-thumbnail';

export const fileIdText = ({ ownerId, number }: FileId): string => `${ownerId}-${number}`;

/** The last part of the address of a file or of its thumbnail. */
export const fileAddressId = ({ file, variant }: FileAddress): string =>
  `${fileIdText(file)}${variant === 'thumbnail' ? thumbnailSuffix : ''}`;

/** The address as it is stored, without a signature: `/files/{ownerId}-{number}`. */
export const filePath = (address: FileAddress): string => `${folder}${fileAddressId(address)}`;

/** Reads the last part of an address; undefined if no file can have it. */
export function parseFileAddressId(text: string): FileAddress | undefined {
  const isThumbnail = text.endsWith(thumbnailSuffix);
  const [owner = '', number = '', ...rest] = (
    isThumbnail ? text.slice(0, -thumbnailSuffix.length) : text
  ).split('-');
  const file = { ownerId: parseId(owner), number: parseId(number) };
  if (file.ownerId === undefined || file.number === undefined || rest.length > 0) return undefined;
  return {
    file: { ownerId: file.ownerId, number: file.number },
    variant: isThumbnail ? 'thumbnail' : 'file',
  };
}

/** Reads the id of a file; undefined if it is no possible id. */
export function parseFileId(text: string): FileId | undefined {
  const address = parseFileAddressId(text);
  return address?.variant === 'file' ? address.file : undefined;
}

/** True if a text may be the address of an uploaded file. Most addresses are not, so this is the first check. */
export const mayBeFilePath = (text: string): boolean => text.startsWith(folder);

/**
 * Reads the address of a file as clients give it back: with or without a signature in its query. Undefined if it is not
 * the address of an uploaded file.
 */
export function parseFilePath(text: string): FileAddress | undefined {
  if (!mayBeFilePath(text)) return undefined;
  const query = text.indexOf('?');
  return parseFileAddressId(text.slice(folder.length, query < 0 ? undefined : query));
}

const maxLength = 255;
const nameless = 'file';

/**
 * The name of an uploaded file as it is stored and shown: without folders, control characters and characters that turn
 * the direction of text, at most 255 characters. "file" if nothing is left.
 */
export function canonicalFileName(text: string): string {
  const last = text.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const name = last
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, maxLength)
    .toWellFormed();
  return /^\.*$/.test(name) ? nameless : name;
}

/** True for an http or https address without the blanks and control characters that a URL parser would ignore. */
export const isWebAddress = (text: string): boolean =>
  text.length <= limits.webAddress && /^https?:\/\/[^\s\p{C}]+$/iu.test(text) && URL.canParse(text);

/** The rule for addresses of pictures, worded to follow the field's name. */
export const pictureAddressRule =
  'must be the address of an uploaded file, or an http or https address without a password in it, or empty';
export const pictureElsewhereRule = 'must be an http or https address without a password in it, or empty';

/**
 * The address of a picture as it is stored, in the spelling of the URL standard; "" for no picture, and the bare path of
 * an uploaded file. Undefined if the text is none of these, or contains a username or password, which would be sent to
 * everyone who sees the picture.
 */
export function canonicalPictureAddress(text: string): string | undefined {
  if (!mayBeFilePath(text)) return canonicalPictureElsewhere(text);
  const address = parseFilePath(text);
  return address && filePath(address);
}

/** The same for who cannot have uploaded a file yet. */
export function canonicalPictureElsewhere(text: string): string | undefined {
  if (text === '') return '';
  if (!isWebAddress(text)) return undefined;
  const { href, username, password } = new URL(text);
  return username === '' && password === '' && href.length <= limits.webAddress ? href : undefined;
}
