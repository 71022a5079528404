import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { createFairQueue, type QueueKey } from './fair-queue.ts';

/** OWASP's first recommendation for argon2id: 19 MiB, 2 passes, 1 lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;

export type Passwords = {
  /** Returns an argon2id hash in PHC format, which includes the salt and the cost. */
  hash(password: string, queueKey: QueueKey): Promise<string>;
  /**
   * A null hash is false too, after the same amount of work, so that the time does not reveal whether a user exists.
   */
  verify(password: string, hash: string | null, queueKey: QueueKey): Promise<boolean>;
  /** The number of waiting hashes. */
  waiting(): number;
};

/**
 * Hashing deliberately costs tens of milliseconds of a thread and 19 MiB. Only a few hashes run at a time, so that a
 * flood of sign-ins leaves threads to the rest of the process. Further ones wait in a fair queue. When it is full, they
 * fail with UNAVAILABLE.
 */
export function createPasswords(options: { concurrency?: number; maxWaiting?: number } = {}): Passwords {
  const queue = createFairQueue({
    concurrency: options.concurrency ?? 2,
    maxWaiting: options.maxWaiting ?? 200,
  });
  /** The hash of a random password. Passwords of unknown users are verified against it. */
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

/** NFKC makes passwords that look the same equal, however the keyboard composes their characters. */
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
