import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GoChatError } from '../../../lib/errors.ts';

/** Bytes that were received into a temporary file. */
export type Spooled = {
  size: number;
  sha256: Buffer;
  /** The first bytes. */
  head: Buffer;
  all(): Promise<Buffer>;
  stream(): Readable;
  close(): Promise<void>;
};

const headBytes = 64 * 1024;
const pieceBytes = 256 * 1024;

/**
 * Receives bytes into a temporary file, so that large uploads take no memory. The file has no name from the beginning
 * on: nothing remains of it, however this process ends. Rejects with PAYLOAD_TOO_LARGE, or with what the iterator throws.
 */
export async function spool(
  chunks: AsyncIterable<Uint8Array>,
  { folder, maxBytes }: { folder: string; maxBytes: number },
): Promise<Spooled> {
  const path = join(folder, `.upload-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
    const hash = createHash('sha256');
    const firsts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunks) {
      if (size < headBytes) firsts.push(chunk);
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    return {
      size,
      sha256: hash.digest(),
      head: Buffer.concat(firsts).subarray(0, headBytes),
      all: () => readAll(file, size),
      stream: () => Readable.from(pieces(file, size), { objectMode: false }),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export const tooLarge = (maxBytes: number) =>
  new GoChatError('PAYLOAD_TOO_LARGE', `A file has at most ${maxBytes.toLocaleString('en-US')} bytes.`);

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done);
    done += bytesWritten;
  }
}

async function readAll(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, size - done, done);
    if (bytesRead === 0) throw new Error('the temporary file is shorter than what was written');
    done += bytesRead;
  }
  return bytes;
}

async function* pieces(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, at);
    if (bytesRead === 0) throw new Error('the temporary file is shorter than what was written');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
