import { BlockList, isIP } from 'node:net';

/** The proxies in front of the gateway whose X-Forwarded-For entries are trusted. */
export type TrustedProxies = {
  /** True if at least one proxy is trusted. */
  any: boolean;
  /** True if an address is a trusted proxy. `hop`: its distance from the gateway, 0 for the peer that connected. */
  isTrusted(address: string, hop: number): boolean;
  /**
   * True if a peer with this address counts as a proxy before it has sent anything. If only a number of proxies is
   * configured, these are the private addresses: a proxy with a public address shows itself by X-Forwarded-For.
   */
  isProxyPeer(address: string): boolean;
};

const maxHops = 32;

/**
 * Parses TRUST_PROXY: a number of proxies, or a list of addresses and ranges. Throws an Error with a sentence if it is
 * neither, or if it would trust every address.
 */
export function parseTrustedProxies(text: string): TrustedProxies {
  const value = text.trim().toLowerCase();
  if (value === '' || value === 'false') return trustHops(0);
  if (/^\d+$/.test(value)) {
    const hops = Number(value);
    if (hops > maxHops) throw wrong(`takes up to ${maxHops} proxies, not ${value}`);
    return trustHops(hops);
  }
  if (value === 'true') {
    throw wrong(
      'must not be true, since then clients could write any address of their choice into X-Forwarded-For: ' +
        'give the number of proxies in front of the gateway (1), or their addresses (10.0.0.0/8, 192.0.2.7)',
    );
  }
  return trustRanges(value.split(',').map((part) => part.trim()));
}

const trustHops = (hops: number): TrustedProxies => ({
  any: hops > 0,
  isTrusted: (_address, hop) => hop < hops,
  isProxyPeer: (address) => hops > 0 && contains(privateAddresses, address),
});

/** Loopback, private, shared (RFC 6598) and link-local addresses, which no client has in the internet. */
const privateAddresses = new BlockList();
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  privateAddresses.addSubnet(network, bits, familyOf(network));
}

function trustRanges(ranges: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix, ...rest] = range.split('/');
    const version = isIP(address);
    const maxBits = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? maxBits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(bits <= maxBits)) {
      throw wrong(`takes a number of proxies, or addresses and ranges like 10.0.0.0/8, not "${range}"`);
    }
    if (bits === 0) throw wrong(`must not trust every address, as ${range} does`);
    list.addSubnet(address, bits, familyOf(address));
  }
  const isListed = (address: string) => contains(list, address);
  return { any: true, isTrusted: isListed, isProxyPeer: isListed };
}

const contains = (list: BlockList, address: string): boolean =>
  isIP(address) !== 0 && list.check(address, familyOf(address));

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

const wrong = (predicate: string): Error => new Error(`configuration: TRUST_PROXY ${predicate}`);
