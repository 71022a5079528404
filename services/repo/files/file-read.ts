import { parseFileAddressId } from '../../../lib/domain/addresses.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FilePart, ReadFileRequest, ReadFileResponse } from '../../../lib/gen/im_repo/v1/file.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { Databases } from '../storage/databases.ts';
import type { ObjectStore } from '../store/store.ts';
import type { FileAccess } from './file-access.ts';
import { contentKey } from './file-contents.ts';
import { contentOf, readFileRow } from './file-rows.ts';

export type FileReadDeps = { databases: Databases; store: ObjectStore; access: FileAccess; links: FileLinks };

/**
 * Answers a file to whoever has a signed address, uploaded it, or is a member of a conversation that shows it; pictures
 * of users and conversations to every user.
 */
export function createFileRead({ databases, store, access, links }: FileReadDeps) {
  async function find(request: ReadFileRequest) {
    const isSigned =
      request.signature !== '' && links.isSigned(request.id, request.expiresAtS, request.signature);
    const userId = parseId(request.userId);
    if (!isSigned && userId === undefined) throw notSignedIn();
    const address = parseFileAddressId(request.id);
    const row = address && (await readFileRow(databases, address.file));
    const content = row && contentOf(row, address);
    if (!content) throw notFound();
    if (!isSigned && !(await access.mayRead(userId ?? 0, address.file))) throw denied();
    return { name: row.name, ...content };
  }

  return async function* (request: ReadFileRequest, signal: AbortSignal): AsyncGenerator<ReadFileResponse> {
    const { name, mime, size, sha256 } = await find(request);
    const tag = sha256.toString('base64url');
    const known = request.knownTags.includes(tag) || request.knownTags.includes('*');
    const range = request.part && !known ? rangeOf(request.part, size) : undefined;
    const beyondEnd = request.part !== undefined && !known && range === undefined;
    const facts = { name, mime, size, tag, known, beyondEnd, from: range?.start, to: range?.end };
    if (known || beyondEnd || request.factsOnly) {
      yield { part: { $case: 'facts', value: facts } };
      return;
    }
    const object = await store.get(contentKey(sha256), range, { signal });
    if (!object) throw new Error(`the store has lost ${contentKey(sha256)}`);
    try {
      yield { part: { $case: 'facts', value: facts } };
      for await (const chunk of object.body as AsyncIterable<Buffer>) {
        yield { part: { $case: 'chunk', value: chunk } };
      }
    } finally {
      object.body.destroy();
    }
  };
}

/** The part of a file with both ends; undefined if it lies beyond the end. */
function rangeOf({ from, to, last }: FilePart, size: number): { start: number; end: number } | undefined {
  const start = from ?? Math.max(0, size - (last ?? 0));
  const end = Math.min(to ?? size - 1, size - 1);
  return start <= end && (from !== undefined || last !== 0) ? { start, end } : undefined;
}

const notSignedIn = () =>
  new GoChatError(
    'UNAUTHENTICATED',
    'This file needs a valid access token, or an address whose signature is valid.',
  );
const notFound = () => new GoChatError('NOT_FOUND', 'There is no such file.');
const denied = () => new GoChatError('PERMISSION_DENIED', 'This file is not for you.');
