// Room: finds the client address of a request, and decides which proxies, origins and hosts are accepted. It knows no
// users.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from '../../../lib/log.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Returns the address of a request's client: the nearest address that does not belong to a trusted proxy. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Each proxy appends the address from which it got the request to X-Forwarded-For. Entries further left may be forged by
 * the client. So the list is read from its end, as long as the entry was written by a trusted proxy.
 */
export function createClientAddress(proxies: TrustedProxies, log: Logger): ClientAddress {
  let warned = false;

  function warnOnce(): void {
    if (warned) return;
    warned = true;
    log.warn(
      'a request has X-Forwarded-For, but TRUST_PROXY is 0: behind a proxy, all clients count as the address of the proxy',
    );
  }

  return ({ headers, socket }) => {
    let address = addressOf(socket.remoteAddress ?? '') ?? '';
    const header = headers['x-forwarded-for'];
    if (header === undefined) return address;
    if (!proxies.any) {
      warnOnce();
      return address;
    }
    const entries = [header].flat().join(',').split(',');
    for (let hop = 0; proxies.isTrusted(address, hop); hop++) {
      const previous = addressOf(entries.pop() ?? '');
      // The entry is not an address: the proxy that wrote it is the nearest known address.
      if (previous === undefined) break;
      address = previous;
    }
    return address;
  };
}

/**
 * Parses an entry of X-Forwarded-For, which may have a port or brackets. An IPv4 address in IPv6 form is returned as IPv4.
 * Undefined if the entry is not an address.
 */
export function addressOf(entry: string): string | undefined {
  const text = entry.trim();
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(address) === 0 ? undefined : address;
}
