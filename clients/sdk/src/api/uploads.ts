import type { File as StoredFile } from '../wire/wire.ts';
import type { ActionDeps } from './people.ts';

export type { StoredFile };

export interface UploadOptions {
  /** The name of the file; that of the blob, if it has one, unless given. */
  name?: string;
  /** Is told how many bytes have gone out; where the platform does not tell, at the beginning and at the end. */
  onProgress?(progress: { loaded: number; total: number }): void;
  /** Cancels the upload, which then rejects with the code CANCELLED. */
  signal?: AbortSignal;
}

type Send = typeof globalThis.fetch;

/** Uploads of files, which messages carry once they are done. */
export function createUploads({ api, fetch: given }: ActionDeps) {
  async function upload(blob: Blob, options: UploadOptions = {}): Promise<StoredFile> {
    const { name, onProgress, signal } = options;
    const form = new FormData();
    form.append('file', blob, name ?? (blob as { name?: string }).name ?? 'file');
    const tell = (loaded: number) => onProgress?.({ loaded, total: blob.size });
    const byFetch: Send = (address, init) => (given ?? globalThis.fetch)(address, { ...init, body: form });
    const send: Send = async (address, init = {}) => {
      tell(0);
      try {
        signal?.throwIfAborted();
        const how =
          given === undefined && typeof XMLHttpRequest !== 'undefined' ? byXhr(form, tell) : byFetch;
        const response = await how(address, { ...init, signal: signal ?? null });
        tell(blob.size);
        return response;
      } catch (error) {
        if (signal?.aborted) throw cancelled;
        throw error;
      }
    };
    return api('POST /files', { send });
  }

  return { upload };
}

/** Becomes an error of the client like any that has these fields. */
const cancelled = { code: 'CANCELLED', message: 'The upload was cancelled.', retryable: false };

/** Only this interface of browsers tells how far an upload is. */
const byXhr =
  (form: FormData, tell: (loaded: number) => void): Send =>
  (address, { headers = {}, signal } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', String(address));
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded }) => tell(loaded);
      request.onload = () => {
        const headers = new Headers();
        const wait = request.getResponseHeader('retry-after');
        if (wait !== null) headers.set('retry-after', wait);
        resolve(new Response(request.responseText, { status: request.status, headers }));
      };
      request.onerror = () => reject(new TypeError('The upload broke off.'));
      request.onabort = request.onerror;
      signal?.addEventListener('abort', () => request.abort());
      request.send(form);
    });
