import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { createFairQueue, type QueueKey } from './fair-queue.ts';

/** The first choice of OWASP's list for argon2id: 19 MiB, 2 passes, 1 lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;

export type Passwords = {
  /** An argon2id hash in PHC form, salt and cost included. */
  hash(password: string, queueKey: QueueKey): Promise<string>;
  /** False for a null hash too, after as much work as for any other: time tells nothing about who exists. */
  verify(password: string, hash: string | null, queueKey: QueueKey): Promise<boolean>;
  /** How many wait for their queueKey. */
  waiting(): number;
};

/**
 * Hashing costs tens of milliseconds of a thread and 19 MiB on purpose. Only a few run at a time, so that a flood of
 * logins leaves the other threads to the rest of the process; further ones take turns in a queue, and beyond it
 * UNAVAILABLE.
 */
export function createPasswords(options: { concurrency?: number; maxWaiting?: number } = {}): Passwords {
  const queue = createFairQueue({
    concurrency: options.concurrency ?? 2,
    maxWaiting: options.maxWaiting ?? 200,
  });
  /** Of a password that nobody has. */
  const decoy = hashNow(randomBytes(32).toString('base64'));
  return {
    waiting: queue.waiting,
    hash: (password, queueKey) => queue.run(queueKey, () => hashNow(password)),
    async verify(password, hash, queueKey) {
      const real = parseHash(hash ?? (await decoy));
      const tag = await queue.run(queueKey, () => derive(password, real.salt, real));
      return timingSafeEqual(tag, real.tag) && hash !== null;
    },
  };
}

type Cost = typeof cost;
type Hash = Cost & { salt: Buffer; tag: Buffer };

async function hashNow(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const tag = await derive(password, salt, cost);
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(tag)}`;
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/;

function parseHash(text: string): Hash {
  const [, memory, passes, parallelism, salt, tag] = phc.exec(text) ?? [];
  if (!salt || !tag) throw new Error('a stored password hash is not argon2id in PHC form');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** What looks the same is the same password, however a keyboard composes its characters. */
function derive(password: string, salt: Buffer, { memory, passes, parallelism }: Cost): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFKC'));
  return new Promise((resolve, reject) =>
    argon2(
      'argon2id',
      { message, nonce: salt, memory, passes, parallelism, tagLength: tagBytes },
      (error, tag) => (error ? reject(error) : resolve(tag)),
    ),
  );
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
