// Room: uploading and reading files in tests, and the pictures for that. It asserts nothing.

import { gatewayUrl, type Person } from '../people/people.ts';

export type Uploaded = {
  id: string;
  url: string;
  name: string;
  size: number;
  mime: string;
  width?: number;
  height?: number;
  thumbnailUrl?: string;
};

type UploadOptions = { name?: string; type?: string; field?: string; headers?: Record<string, string> };

/** Uploads bytes as a browser does, and answers the response. */
export async function postFile(
  person: Pick<Person, 'accessToken'>,
  bytes: Uint8Array | string,
  { name = 'file.bin', type = '', field = 'file', headers = {} }: UploadOptions = {},
): Promise<Response> {
  const form = new FormData();
  form.append(field, new Blob([typeof bytes === 'string' ? bytes : Buffer.from(bytes)], { type }), name);
  return fetch(`${gatewayUrl}/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.accessToken}`, ...headers },
    body: form,
  });
}

/** Uploads bytes. Throws with the answer if they are refused. */
export async function upload(
  person: Pick<Person, 'accessToken'>,
  bytes: Uint8Array | string,
  options?: UploadOptions,
): Promise<Uploaded> {
  const response = await postFile(person, bytes, options);
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Uploaded;
}

/** Reads an address of a file, with a person's token if one is given. */
export const readUrl = (
  url: string,
  person?: Pick<Person, 'accessToken'>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${gatewayUrl}${url}`, {
    headers: { ...(person ? { authorization: `Bearer ${person.accessToken}` } : {}), ...headers },
  });

export const bytesOf = async (response: Response): Promise<Buffer> =>
  Buffer.from(await response.arrayBuffer());

/** The address without its signature. */
export const pathOf = (url: string): string => url.split('?')[0] ?? '';
