import { GoChatError } from '../../../lib/errors.ts';

/** The host names for which this gateway answers. */
export type Hosts = {
  /** Throws MisdirectedError if the Host header names another host. */
  check(host: string | undefined): void;
};

/** Answered with 421: the request is valid, but meant for another host. */
export class MisdirectedError extends GoChatError {
  constructor() {
    super('INVALID_ARGUMENT', 'This gateway does not answer for the host that the Host header names.');
  }
}

/** Parses ALLOWED_HOSTS; an empty list allows every name. Throws an Error with a sentence if an entry is not a host. */
export function parseHosts(text: string): Hosts {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const names = new Set(
    parts.map((part) => {
      const name = nameOf(part);
      if (name === undefined) {
        throw new Error(`configuration: ALLOWED_HOSTS takes host names like chat.example.com, not "${part}"`);
      }
      return name;
    }),
  );
  return {
    check(host) {
      if (names.size === 0) return;
      const name = nameOf(host ?? '');
      if (name === undefined || !names.has(name)) throw new MisdirectedError();
    },
  };
}

/** The name of a host without port, in lower case and punycode. Undefined if it is not a host. */
function nameOf(host: string): string | undefined {
  if (!/^[^\s/?#@\\*]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}
