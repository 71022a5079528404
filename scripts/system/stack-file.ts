import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { KeyFiles } from '../topology/keys.ts';
import type { ServerAddresses } from '../topology/topology.ts';

/** The addresses of the servers of `npm run stack`, for shells (`source FILE`) and for `npm run dev`. */
export interface StackAddresses {
  addresses: ServerAddresses;
  keys: KeyFiles;
}

const addressNames = ['DATABASE_URL', 'REDIS_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS'] as const;
const keyNames = [
  'AUTH_PRIVATE_KEY_FILE',
  'AUTH_PUBLIC_KEY_FILE',
  'GRPC_TOKEN_FILE',
  'FILES_SECRET_FILE',
] as const;

export const stackFile = (home: string): string => join(home, 'stack.env');

export function writeStackFile(home: string, { addresses, keys }: StackAddresses): void {
  mkdirSync(home, { recursive: true });
  const lines = Object.entries({ ...addresses, ...keys }).map(
    ([name, value]) => `export ${name}='${value}'\n`,
  );
  // The addresses contain passwords.
  writeFileSync(stackFile(home), lines.join(''), { mode: 0o600 });
}

/** Undefined if there is no file, or if another version has written it. */
export function readStackFile(home: string): StackAddresses | undefined {
  if (!existsSync(stackFile(home))) return undefined;
  const env = parseEnv(readFileSync(stackFile(home), 'utf8'));
  const addresses = pick(env, addressNames);
  const keys = pick(env, keyNames);
  return addresses && keys && { addresses, keys };
}

export function removeStackFile(home: string): void {
  rmSync(stackFile(home), { force: true });
}

function pick<Name extends string>(
  env: NodeJS.Dict<string>,
  names: readonly Name[],
): Record<Name, string> | undefined {
  const found = names.flatMap((name) => {
    const value = env[name];
    return value ? [[name, value] as const] : [];
  });
  return found.length === names.length ? (Object.fromEntries(found) as Record<Name, string>) : undefined;
}
