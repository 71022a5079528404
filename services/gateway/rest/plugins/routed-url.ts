import type { FastifyRequest } from 'fastify';
import { reference } from './documents.ts';

/** Stands for a path that cannot be decoded. No client can send it, because a request line has no space in its path. */
const undecodable = '/not decodable';

/**
 * The address by which a request is routed. A slash at the end of the path is removed, so that both spellings reach the
 * same route; the reference keeps its slash. The router answers a path that it cannot decode without running a single
 * hook: neither host, origin nor rate limits would be checked. So such a path is replaced by one without a route, and
 * answerUnknownRoutes refuses it.
 */
export function routedUrl(url: string): string {
  const [path = '', ...query] = withoutOrigin(url).split('?');
  if (!isDecodable(path)) return undecodable;
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return [bare === reference ? `${reference}/` : bare, ...query].join('?');
}

/** True if the path of the request could not be decoded. */
export const hasUndecodablePath = ({ url }: FastifyRequest): boolean => url === undecodable;

/** A request to a proxy names the whole address (RFC 9112, 3.2.2), and every server must understand it. */
function withoutOrigin(url: string): string {
  const rest = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest === url || rest.startsWith('/') ? rest : `/${rest}`;
}

function isDecodable(path: string): boolean {
  try {
    decodeURI(path);
    return true;
  } catch {
    return false;
  }
}
