import { fileURLToPath } from 'node:url';
import { createDirectoryStore } from './directory-store.ts';
import { type GuardOptions, guardStore } from './guarded-store.ts';
import type { S3Address } from './s3-store.ts';
import type { ObjectStore } from './store.ts';

export type StoreAddress = { kind: 'directory'; path: string } | ({ kind: 's3' } & S3Address);

/**
 * Opens the store at an address: `fs:///directory` (`file:///directory` is the same) or
 * `s3://bucket/prefix?endpoint=…&region=…`. Throws a configuration error if the address is wrong. `variable` names the
 * setting that holds the address.
 */
export async function openStore(variable: string, url: string, options: GuardOptions): Promise<ObjectStore> {
  const address = readStoreAddress(variable, url);
  return guardStore(await storeAt(address), options);
}

async function storeAt(address: StoreAddress): Promise<ObjectStore> {
  if (address.kind === 'directory') return createDirectoryStore(address.path);
  // Loaded only where it is used, because the library takes memory.
  const { createS3Store } = await import('./s3-store.ts');
  return createS3Store(address);
}

export function readStoreAddress(variable: string, text: string): StoreAddress {
  const wrong = (why: string) => new Error(`configuration: ${variable} ${why}`);
  if (!URL.canParse(text)) throw wrong('is not a URL');
  const url = new URL(text);
  if (url.protocol === 'fs:' || url.protocol === 'file:') {
    if (url.host !== '')
      throw wrong('must have three slashes before its directory, as in fs:///var/lib/files');
    return { kind: 'directory', path: fileURLToPath(`file://${url.pathname}`) };
  }
  if (url.protocol !== 's3:') throw wrong('must begin with fs:/// or s3://');
  if (url.host === '') throw wrong('must name a bucket, as in s3://bucket');
  if (url.username !== '' || url.password !== '') {
    throw wrong('must not hold credentials; they come from the variables and files of AWS');
  }
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw wrong('must have an http or https address as its endpoint');
  }
  const folder = url.pathname.replace(/^\/+|\/+$/g, '');
  return {
    kind: 's3',
    bucket: url.host,
    prefix: folder === '' ? '' : `${folder}/`,
    endpoint,
    region: url.searchParams.get('region') ?? process.env.AWS_REGION ?? 'us-east-1',
  };
}
