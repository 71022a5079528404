import { readFile } from 'node:fs/promises';
import { type CryptoKey, importJWK, type JWK, type JWTHeaderParameters } from 'jose';
import { GoChatError } from '../../../lib/errors.ts';

export type IssuerKeys = {
  /** The keys that may have signed a token with this header. Rejects with UNAVAILABLE while no keys can be loaded. */
  matching(header: Pick<JWTHeaderParameters, 'kid'> & { alg?: string }): Promise<CryptoKey[]>;
};

/** Minimum interval of reloads caused by tokens with an unknown key. */
const unknownKeyMs = 30_000;
/** Keys older than this are reloaded, so that a revoked key is not accepted forever. */
const freshMs = 10 * 60_000;
/** If the last load is longer ago than this, a token waits for the reload instead of being checked with stale keys. */
const idleMs = 2 * freshMs;
/** Maximum age of keys that are used while reloads fail. */
const staleMs = 24 * 3_600_000;
/** Minimum pause between a failed load and the next one. */
const retryMs = 1000;
const fetchDeadlineMs = 4000;
const maxBytes = 512 * 1024;
/** Maximum number of keys with which the signature of one token is checked. A token without a kid matches several. */
const maxKeysPerToken = 10;

/** The public keys of an identity provider, loaded from its JWKS address or from a file. */
export function createIssuerKeys(options: {
  jwksUrl?: string;
  jwksFile?: string;
  load?: () => Promise<string>;
  now?: () => number;
}): IssuerKeys {
  const { jwksUrl, jwksFile = '' } = options;
  const load = options.load ?? (jwksUrl ? () => fetched(jwksUrl) : () => readFile(jwksFile, 'utf8'));
  const now = options.now ?? Date.now;
  let keys: JWK[] | undefined;
  let loadedAt = 0;
  let failedAt = Number.NEGATIVE_INFINITY;
  let unknownKeyAt = Number.NEGATIVE_INFINITY;
  let running: Promise<boolean> | undefined;

  /** Loads the keys, and answers whether that succeeded. Concurrent callers share one load. */
  function reload(): Promise<boolean> {
    if (running) return running;
    if (now() - failedAt < retryMs) return Promise.resolve(false);
    running = load()
      .then((text) => {
        keys = signingKeys(JSON.parse(text));
        loadedAt = now();
        return true;
      })
      .catch(() => {
        failedAt = now();
        return false;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  /** Reloads keys that are old. A token that matches a loaded key does not wait for the reload, unless it was idle. */
  async function refreshIfOld(kid: string | undefined, alg: string | undefined): Promise<void> {
    if (keys && now() - loadedAt <= freshMs) return;
    const isIdle = now() - Math.max(loadedAt, failedAt) > idleMs;
    const reloaded = reload();
    if (!keys || isIdle || matches(keys, kid, alg).length === 0) await reloaded;
  }

  return {
    async matching({ kid, alg }) {
      await refreshIfOld(kid, alg);
      if (!keys || now() - loadedAt > staleMs) throw unreachable();
      let found = matches(keys, kid, alg);
      // A token that arrives while the keys are being loaded waits for them, even if it may not cause a load itself.
      while (found.length === 0 && (running || now() - unknownKeyAt >= unknownKeyMs)) {
        if (!running) unknownKeyAt = now();
        if (!(await reload())) {
          unknownKeyAt = Number.NEGATIVE_INFINITY;
          throw unreachable();
        }
        found = matches(keys, kid, alg);
      }
      const imported = await Promise.all(
        found.slice(0, maxKeysPerToken).map((key) => importJWK(key, alg).catch(() => undefined)),
      );
      return imported.filter((key): key is CryptoKey => key !== undefined && !(key instanceof Uint8Array));
    },
  };
}

/** The public signing keys of a key set. Other keys are ignored. */
function signingKeys(set: unknown): JWK[] {
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the text is no JSON Web Key Set');
  return keys.filter(
    (key): key is JWK =>
      typeof key === 'object' &&
      key !== null &&
      ['RSA', 'EC', 'OKP'].includes(key.kty) &&
      (key.use === undefined || key.use === 'sig') &&
      key.d === undefined,
  );
}

const kinds: Record<string, string> = { R: 'RSA', P: 'RSA', E: 'EC' };

function matches(keys: readonly JWK[], kid: string | undefined, alg = ''): JWK[] {
  const kind = alg.startsWith('Ed') ? 'OKP' : kinds[alg.charAt(0)];
  return keys.filter(
    (key) =>
      (kid === undefined || key.kid === kid) &&
      key.kty === kind &&
      (key.alg === undefined || key.alg === alg),
  );
}

async function fetched(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(fetchDeadlineMs),
  });
  if (!response.ok || !response.body) throw new Error(`the keys' address answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const unreachable = () =>
  new GoChatError(
    'UNAVAILABLE',
    'The keys of this identity provider cannot be reached right now. Try again.',
  );
