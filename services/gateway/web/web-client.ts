// Room: the web client, served from the folder into which it was built. It knows no route of the API.

import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import type { Origins } from '../door/origins.ts';

/** A file as it goes over the wire. */
export interface WebFile {
  readonly type: string;
  readonly etag: string;
  /** True for a file whose name changes with its content. */
  readonly isImmutable: boolean;
  /** The content by its encoding; `identity` is always there. */
  readonly encodings: Readonly<Partial<Record<Encoding, Buffer>>> & { readonly identity: Buffer };
}

export type Encoding = 'br' | 'gzip' | 'identity';

export interface WebClient {
  /** The file at a path such as /assets/main.js; `/` and `/embed` are the two pages. */
  file(path: string): WebFile | undefined;
}

/** Where the build puts the client. */
const builtInto = resolve(import.meta.dirname, '../../../clients/web/dist');
const pages = new Map([
  ['/', 'index.html'],
  ['/embed', 'embed.html'],
]);
/** The build puts files into this folder whose names hold a hash of their content. */
const hashed = /^assets\//;

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * The built web client in `folder`. It is read when it is first asked for, so that a gateway without browsers needs no
 * memory for it. A client that is not built has no files, until it is.
 */
export function createWebClient({
  origins,
  folder = builtInto,
}: {
  origins: Origins;
  folder?: string;
}): WebClient {
  let files: Map<string, WebFile> | undefined;

  function read(): Map<string, WebFile> {
    if (!existsSync(join(folder, 'index.html'))) return new Map();
    files = readFiles(folder, origins);
    return files;
  }

  return { file: (path) => (files ?? read()).get(pages.get(path) ?? path.slice(1)) };
}

function readFiles(folder: string, origins: Origins): Map<string, WebFile> {
  const names = globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined)
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return new Map(names.map((name) => [name, readWebFile(folder, name, origins)]));
}

function readWebFile(folder: string, name: string, origins: Origins): WebFile {
  const path = join(folder, name);
  const compressed = (suffix: string) =>
    existsSync(path + suffix) ? readFileSync(path + suffix) : undefined;
  const built = readFileSync(path);
  // The page to be embedded must know whose messages it may take.
  const identity =
    name === pages.get('/embed')
      ? Buffer.from(built.toString().replace('content="allowed-origins"', `content="${origins.text}"`))
      : built;
  const isChanged = !identity.equals(built);
  const br = isChanged ? undefined : compressed('.br');
  const gzip = isChanged ? undefined : compressed('.gz');
  return {
    type: types[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`,
    isImmutable: hashed.test(name),
    encodings: { identity, ...(br && { br }), ...(gzip && { gzip }) },
  };
}

/** The best encoding of a file that a client takes, by its Accept-Encoding header. */
export function encodingFor({ encodings }: WebFile, accepted: string | undefined): Encoding {
  const offered = (accepted ?? '').split(',').map((part) => part.trim().toLowerCase());
  const takes = (name: string) =>
    offered.some((one) => one === name || (one.startsWith(`${name};`) && !/;\s*q=0(\.0*)?$/.test(one)));
  if (encodings.br && takes('br')) return 'br';
  if (encodings.gzip && takes('gzip')) return 'gzip';
  return 'identity';
}

/** The content security policy of a page: it loads only from this gateway, and shows pictures of any https address. */
export function pagePolicy(path: string, origins: Origins): string {
  const ancestors = path === '/embed' && origins.kind !== 'none' ? origins.text : "'none'";
  return `default-src 'self'; img-src 'self' blob: data: https:; media-src 'self' blob:; frame-ancestors ${ancestors}`;
}
