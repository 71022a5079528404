import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';

/** `chunks` rejects if the request breaks off or the file is too large. `name` is as the client gives it. */
export type MultipartFile = { name: string; chunks: AsyncIterable<Buffer> };

const field = 'file';
/** Other fields of the form are skipped. */
const maxParts = 20;
/** What a request may have besides the bytes of the file: boundaries, headers and other fields. */
export const maxFormBytes = 64 * 1024;

/**
 * Resolves when the file of a multipart request begins. The request is read only as fast as the chunks are taken. Rejects
 * with INVALID_ARGUMENT or PAYLOAD_TOO_LARGE. After a failure, the rest of the request is read and dropped, so that the
 * client gets the answer.
 */
export function multipartFile(raw: IncomingMessage, maxBytes: number): Promise<MultipartFile> {
  return new Promise((resolve, reject) => {
    let file: BusboyFileStream | undefined;
    const parser = parserOf(raw, maxBytes);
    const dropRest = (): void => {
      raw.unpipe(parser);
      raw.resume();
    };
    const fail = (error: GoChatError): void => {
      dropRest();
      file?.destroy(error);
      reject(error);
    };
    raw.once('close', () => {
      if (!raw.complete) fail(brokenOff());
    });
    parser.on('error', () => fail(malformed()));
    parser.on('file', (name, stream, filename) => {
      // Without a listener, the error of a file that nobody reads any more would end the process.
      stream.on('error', () => undefined);
      if (name !== field || file) {
        stream.resume();
        return;
      }
      file = stream;
      stream.on('limit', () => fail(fileTooLarge(maxBytes)));
      // Whoever takes the chunks may stop early.
      stream.once('close', dropRest);
      resolve({ name: filename ?? '', chunks: chunksOf(stream) });
    });
    // Without effect if there was a file.
    parser.on('finish', () => reject(invalid(field, 'is required')));
    raw.pipe(parser);
  });
}

async function* chunksOf(stream: BusboyFileStream): AsyncGenerator<Buffer> {
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    throw error instanceof GoChatError ? error : malformed();
  }
}

function parserOf({ headers }: IncomingMessage, maxBytes: number) {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fileSize: maxBytes, parts: maxParts, fields: maxParts, fieldSize: maxFormBytes },
    });
  } catch {
    throw malformed();
  }
}

export const fileTooLarge = (maxBytes: number) =>
  new GoChatError('PAYLOAD_TOO_LARGE', `A file has at most ${maxBytes.toLocaleString('en-US')} bytes.`);

const malformed = () => new GoChatError('INVALID_ARGUMENT', 'The body is not a complete multipart form.');
const brokenOff = () => new GoChatError('INVALID_ARGUMENT', 'The request broke off.');
