import { createCipheriv, createDecipheriv, createHmac, randomBytes, scrypt } from 'node:crypto';

/**
 * Keeps an answer that holds tokens unreadable where it is stored: it can be named, compared and opened only by a
 * request with the same Idempotency-Key and body. The derivation is slow on purpose, since the body holds a password.
 */
export type Seal = {
  /** Stands for the Idempotency-Key in storage. */
  name: string;
  /** Stands for the body: the same for the same one, and no quick hash of a password. */
  fingerprint: Buffer;
  close(text: string): string;
  open(sealed: string): string;
};

export async function createSeal(key: string, body: string): Promise<Seal> {
  const name = createHmac('sha256', key).update('gochat idempotency key').digest('base64url');
  const secret = await derive(`${key}\n${body}`, name);
  const cipherKey = secret.subarray(0, 32);
  return {
    name,
    fingerprint: secret.subarray(32),
    close(text) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', cipherKey, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open(text) {
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', cipherKey, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    },
  };
}

const derive = (secret: string, salt: string): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(secret, salt, 64, { N: 16_384, r: 8, p: 1 }, (error, derived) =>
      error ? reject(error) : resolve(derived),
    ),
  );
