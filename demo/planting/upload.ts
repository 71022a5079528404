import { bytesOf, type PlannedFile } from '../world/files.ts';
import type { Caller } from './calls.ts';

/** Uploads a file as its owner. Returns what a message has as its type and content. */
export async function upload(
  { api }: Caller,
  planned: PlannedFile,
): Promise<{ messageType: number; content: string }> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytesOf(planned))]), planned.name);
  const file = await api('POST /files', { send: (address, init) => fetch(address, { ...init, body: form }) });
  return { messageType: file.mime.startsWith('image/') ? 2 : 3, content: JSON.stringify(file) };
}
