import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import type { KeyFiles } from './keys.ts';

/** The passwords of the servers that these scripts start. */
export interface Passwords {
  database: string;
  redis: string;
}

export interface Secrets {
  passwords: Passwords;
  keys: KeyFiles;
}

/** The secrets of this installation: created once, in files that only their owner may read. */
export function ensureSecrets(home: string, env: NodeJS.ProcessEnv): Secrets {
  const folder = secretsFolder(home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tokenFile = grpcTokenFile(home, env);
  if (!env.GRPC_TOKEN_FILE) kept(tokenFile, newPassword);
  return {
    passwords: {
      database: kept(join(folder, 'database-password'), newPassword),
      redis: kept(join(folder, 'redis-password'), newPassword),
    },
    keys: {
      ...(env.AUTH_PRIVATE_KEY_FILE ? given(env.AUTH_PRIVATE_KEY_FILE, env, folder) : ownKeys(folder)),
      GRPC_TOKEN_FILE: tokenFile,
      FILES_SECRET_FILE: env.FILES_SECRET_FILE || ownSecret(folder, 'files-secret'),
    },
  };
}

const secretsFolder = (home: string): string => join(home, 'secrets');

/** A password that needs no escaping in a URL. */
const newPassword = () => randomBytes(24).toString('base64url');

type SigningKeys = Omit<KeyFiles, 'GRPC_TOKEN_FILE' | 'FILES_SECRET_FILE'>;

/**
 * The user's own keys, in one or more files with one or more keys each. Public keys that are not given are derived
 * from them.
 */
function given(privateFiles: string, env: NodeJS.ProcessEnv, folder: string): SigningKeys {
  if (env.AUTH_PUBLIC_KEY_FILE) {
    return { AUTH_PRIVATE_KEY_FILE: privateFiles, AUTH_PUBLIC_KEY_FILE: env.AUTH_PUBLIC_KEY_FILE };
  }
  const publicFile = join(folder, 'auth-public-given.pem');
  const pems = privateFiles.split(',').flatMap((path) => readKeys(path.trim()));
  writeFileSync(publicFile, pems.map(publicHalf).join(''), { mode: 0o600 });
  return { AUTH_PRIVATE_KEY_FILE: privateFiles, AUTH_PUBLIC_KEY_FILE: publicFile };
}

const pemBlock = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g;

function readKeys(path: string): string[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Problem(`AUTH_PRIVATE_KEY_FILE names ${path}, which cannot be read.`);
  }
  const keys = text.match(pemBlock);
  if (!keys) throw new Problem(`AUTH_PRIVATE_KEY_FILE names ${path}, which holds no key in PEM form.`);
  return keys;
}

const publicHalf = (privatePem: string): string =>
  createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }).toString();

/** The generated Ed25519 key pair for access tokens; the public key is always derived from the private one. */
function ownKeys(folder: string): SigningKeys {
  const files = {
    AUTH_PRIVATE_KEY_FILE: join(folder, 'auth-private.pem'),
    AUTH_PUBLIC_KEY_FILE: join(folder, 'auth-public.pem'),
  };
  const privateKey = kept(files.AUTH_PRIVATE_KEY_FILE, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  kept(files.AUTH_PUBLIC_KEY_FILE, () => publicHalf(privateKey));
  return files;
}

/** The file of the token that the services demand of each other; the user's own, or the one that is made here. */
export const grpcTokenFile = (home: string, env: NodeJS.ProcessEnv): string =>
  env.GRPC_TOKEN_FILE || join(secretsFolder(home), 'grpc-token');
function ownSecret(folder: string, name: string): string {
  const file = join(folder, name);
  kept(file, newPassword);
  return file;
}

function kept(path: string, make: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    const secret = make();
    writeFileSync(path, secret, { mode: 0o600, flag: 'wx' });
    return secret.trim();
  }
}
