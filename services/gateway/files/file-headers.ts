import type { FileFacts, FilePart } from '../../../lib/gen/im_repo/v1/file.ts';

/** What a browser shows by itself. Everything else is offered for download, so that no file can be a page. */
const shown = /^(image|audio|video)\//;
const scripted = 'image/svg+xml';
/** A file that a browser shows anyway may run nothing and load nothing. */
const forFiles =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export function headersOf({ name, mime, tag }: FileFacts): Record<string, string> {
  const isShown = shown.test(mime) && mime !== scripted;
  return {
    'content-type': mime.startsWith('text/') ? `${mime}; charset=utf-8` : mime,
    'content-disposition': `${isShown ? 'inline' : 'attachment'}; ${fileNames(name)}`,
    'content-security-policy': forFiles,
    'cache-control': 'private, max-age=3600',
    'accept-ranges': 'bytes',
    etag: `"${tag}"`,
  };
}

/** The name for all browsers, and in its own characters for those that know how (RFC 6266). */
function fileNames(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** The one part that a Range header asks for. Undefined if it asks for several, or is not valid: then all is sent. */
export function partOf(header: string | undefined): FilePart | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') return { from: undefined, to: undefined, last: Number(to) };
  if (to !== '' && Number(to) < Number(from)) return undefined;
  return { from: Number(from), to: to === '' ? undefined : Number(to), last: undefined };
}

/** The tags of an If-None-Match header, weak or not. "*" stands for any. */
export const knownTags = (header: string | undefined): string[] =>
  header?.trim() === '*' ? ['*'] : Array.from((header ?? '').matchAll(/"([\w-]+)"/g), ([, tag = '']) => tag);
