import {
  type FileAddress,
  type FileId,
  fileIdText,
  filePath,
  isWebAddress,
  parseFilePath,
} from './addresses.ts';
import { messageType } from './enumerations.ts';

/** An invalid field of an attachment, and the rule that it breaks. */
export type AttachmentFault = { path: string; message: string };

const maxNameLength = 255;
const maxMimeLength = 127;
const mimePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(?:\s*;[^\p{C}]*)?$/iu;

/**
 * The first fault in the content of an image or file message; undefined if the content is valid. Valid content is a
 * file as `POST /files` answers it, in JSON: {url, name, size, mime, width?, height?, thumbnailUrl?}. Addresses must
 * be http or https, since clients open them, or those of uploaded files. Unknown fields are allowed and not checked.
 */
export function attachmentFault(content: string): AttachmentFault | undefined {
  const file = parse(content);
  if (!file) return { path: 'content', message: 'must be a file as a JSON object' };
  const fault = Object.entries(checks).find(([field, { isRight, optional }]) => {
    const value = file[field];
    return value === undefined ? !optional : !isRight(value);
  });
  return fault && { path: `content.${fault[0]}`, message: fault[1].sentence };
}

/** The fields of an attachment that hold addresses. */
const addressFields = ['url', 'thumbnailUrl'] as const;

/** The content of a message as it is stored, and the uploaded files that it refers to. */
export type Attached = { content: string; files: readonly FileId[] };

/**
 * The uploaded files that the content of a message refers to, which must be valid. Their addresses are stored without a
 * signature. Undefined if it refers to none: texts never do.
 */
export function attachedTo(type: number, content: string): Attached | undefined {
  return type === messageType.image || type === messageType.file ? attachedFiles(content) : undefined;
}

function attachedFiles(content: string): Attached | undefined {
  const files = new Map<string, FileId>();
  const stored = withAddresses(content, (address) => {
    files.set(fileIdText(address.file), address.file);
    return filePath(address);
  });
  return files.size === 0 ? undefined : { content: stored, files: [...files.values()] };
}

/** Replaces the addresses of uploaded files in content that is valid. */
export function withAddresses(content: string, replace: (address: FileAddress) => string): string {
  // Most attachments are elsewhere, or the content is empty because the message was recalled.
  if (!content.includes('/files/')) return content;
  const file = parse(content);
  if (!file) return content;
  let isReplaced = false;
  for (const field of addressFields) {
    const value = file[field];
    const address = typeof value === 'string' ? parseFilePath(value) : undefined;
    if (!address) continue;
    file[field] = replace(address);
    isReplaced = true;
  }
  return isReplaced ? JSON.stringify(file) : content;
}

function parse(content: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(content);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isUrl = (value: unknown): boolean =>
  typeof value === 'string' && (isWebAddress(value) || parseFilePath(value) !== undefined);
const urlRule = 'must be an http or https address, or that of an uploaded file';

const isCount = (min: number) => (value: unknown) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min;

const isText = (maxLength: number, pattern: RegExp) => (value: unknown) =>
  typeof value === 'string' && value.length <= maxLength && pattern.test(value);

type Check = { isRight: (value: unknown) => boolean; sentence: string; optional?: true };

const checks: Record<string, Check> = {
  url: { isRight: isUrl, sentence: urlRule },
  name: {
    isRight: isText(maxNameLength, /^[^\p{Cc}\p{Cs}]+$/u),
    sentence: `must be 1 to ${maxNameLength} characters`,
  },
  size: { isRight: isCount(0), sentence: 'must be a number of bytes' },
  mime: { isRight: isText(maxMimeLength, mimePattern), sentence: 'must be a media type' },
  width: { isRight: isCount(1), sentence: 'must be a number of pixels', optional: true },
  height: { isRight: isCount(1), sentence: 'must be a number of pixels', optional: true },
  thumbnailUrl: { isRight: isUrl, sentence: urlRule, optional: true },
};
