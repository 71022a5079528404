import { readFile } from 'node:fs/promises';
import { type CryptoKey, importJWK, type JWK, type JWTHeaderParameters } from 'jose';
import { GoChatError } from '../../../lib/errors.ts';

export type IssuerKeys = {
  /** The keys that may have signed a token with that header; UNAVAILABLE while none can be had. */
  matching(header: Pick<JWTHeaderParameters, 'kid'> & { alg?: string }): Promise<CryptoKey[]>;
};

/** A key that is not known asks for the keys again, but not more often than this. */
const unknownKeyMs = 30_000;
/** Keys are asked for again after this time, so that one that was taken back is not taken for ever. */
const freshMs = 10 * 60_000;
/** Asked for longer ago than this, nobody knows whether they can be had: the token waits for it. */
const idleMs = 2 * freshMs;
/** For so long they hold while they can't be fetched. */
const staleMs = 24 * 3_600_000;
/** After a failure the next try waits. */
const retryMs = 1000;
const fetchDeadlineMs = 4000;
const mostBytes = 512 * 1024;
/** Tokens without a kid are tried on so many keys at most. */
const mostTried = 10;

/** The public keys of an identity provider, from its address or a file. */
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
  let askedForUnknownAt = Number.NEGATIVE_INFINITY;
  let running: Promise<boolean> | undefined;

  /** Whether they could be had. Callers at once share one try. */
  function reload(): Promise<boolean> {
    if (running) return running;
    if (now() - failedAt < retryMs) return Promise.resolve(false);
    running = load()
      .then((text) => {
        keys = usable(JSON.parse(text));
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

  /** Asks again for keys that are old. A token that one of them may have signed does not wait, unless all was idle. */
  async function freshen(kid: string | undefined, alg: string | undefined): Promise<void> {
    if (keys && now() - loadedAt <= freshMs) return;
    const isIdle = now() - Math.max(loadedAt, failedAt) > idleMs;
    const reloaded = reload();
    if (!keys || isIdle || matches(keys, kid, alg).length === 0) await reloaded;
  }

  return {
    async matching({ kid, alg }) {
      await freshen(kid, alg);
      if (!keys || now() - loadedAt > staleMs) throw unreachable();
      let found = matches(keys, kid, alg);
      // Whoever comes while the keys are being fetched waits for them too.
      while (found.length === 0 && (running || now() - askedForUnknownAt >= unknownKeyMs)) {
        if (!running) askedForUnknownAt = now();
        if (!(await reload())) {
          askedForUnknownAt = Number.NEGATIVE_INFINITY;
          throw unreachable();
        }
        found = matches(keys, kid, alg);
      }
      const imported = await Promise.all(
        found.slice(0, mostTried).map((key) => importJWK(key, alg).catch(() => undefined)),
      );
      return imported.filter((key): key is CryptoKey => key !== undefined && !(key instanceof Uint8Array));
    },
  };
}

/** Public signing keys of a key set; what else it holds is nobody's business here. */
function usable(set: unknown): JWK[] {
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('this is no JSON Web Key Set');
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
    if (bytes > mostBytes) throw new Error('the keys are too many');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const unreachable = () =>
  new GoChatError(
    'UNAVAILABLE',
    'The keys of this identity provider cannot be reached right now. Try again.',
  );
