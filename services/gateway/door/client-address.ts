// Room: where a request comes from and whether its origin, host and proxy are trusted. Who the user is comes
// later.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from '../../../lib/log.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Who sent a request: the nearest address that is no trusted proxy's. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Each proxy writes whom it got the request from at the end of X-Forwarded-For; what stands further left may be the
 * client's own invention. So the list is read from its end, for as long as the one who wrote the entry is trusted.
 */
export function createClientAddress(proxies: TrustedProxies, log: Logger): ClientAddress {
  let told = false;

  function tellOnce(): void {
    if (told) return;
    told = true;
    log.warn(
      'X-Forwarded-For comes, but TRUST_PROXY is 0: behind a proxy all clients count as one address, that of the proxy',
    );
  }

  return ({ headers, socket }) => {
    let address = addressOf(socket.remoteAddress ?? '') ?? '';
    const header = headers['x-forwarded-for'];
    if (header === undefined) return address;
    if (!proxies.any) {
      tellOnce();
      return address;
    }
    const entries = [header].flat().join(',').split(',');
    for (let hop = 0; proxies.isTrusted(address, hop); hop++) {
      const before = addressOf(entries.pop() ?? '');
      // Nothing that could be an address: the one who wrote it is the nearest that is known.
      if (before === undefined) break;
      address = before;
    }
    return address;
  };
}

/** An address out of an entry, which may come with a port or in brackets; an IPv4 one in its own spelling. */
export function addressOf(entry: string): string | undefined {
  const text = entry.trim();
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(address) === 0 ? undefined : address;
}
