import { GoChatError } from '../../../lib/errors.ts';

/** The names under which this gateway may be asked. */
export type Hosts = {
  /** Throws where the Host header names another one. */
  check(host: string | undefined): void;
};

/** Answered 421: the request is fine, but it is not for here. */
export class MisdirectedError extends GoChatError {
  constructor() {
    super('INVALID_ARGUMENT', 'This gateway does not answer for the host that the Host header names.');
  }
}

/** Reads ALLOWED_HOSTS; empty allows every name. Throws a sentence where something in it is no host. */
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

/** A host's name without port, in one spelling. */
function nameOf(host: string): string | undefined {
  if (!/^[^\s/?#@\\*]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}
