import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { grpcTokenFile } from '../topology/secrets.ts';
import { type Profile, servicePorts } from '../topology/topology.ts';

export interface DemoSize {
  users: number;
  seed: number;
}

const fewestUsers = 20;
const mostUsers = 500;

/** The size of a demo world from the options of a command. */
export function demoSize({ users = '50', seed = '1' }: { users?: string; seed?: string } = {}): DemoSize {
  const size = { users: Number(users), seed: Number(seed) };
  if (!Number.isInteger(size.users) || size.users < fewestUsers || size.users > mostUsers)
    throw new Problem(`--users takes a number from ${fewestUsers} to ${mostUsers}.`);
  if (!Number.isInteger(size.seed) || size.seed < 1 || size.seed > 999_999)
    throw new Problem('--seed takes a number from 1 to 999999.');
  return size;
}

/** Fills the running system of a profile with a demo world. Returns sign-ins: a name and a password per line. */
export async function plantDemo(profile: Profile, size: DemoSize): Promise<string> {
  // It stands on the SDK, which is built when it is needed.
  const { plant } = await import('../../demo/demo.ts');
  const { home, env } = profile;
  const here = (variable: string) =>
    `127.0.0.1:${servicePorts(profile).find((one) => one.variable === variable)?.port}`;
  const people = await plant(
    {
      gateway: env.GATEWAY_URL ?? `http://${here('GATEWAY_PORT')}`,
      repo: env.REPO_ADDRESS ?? here('REPO_GRPC_PORT'),
      tokenFile: grpcTokenFile(home, env),
    },
    size,
  );
  return people.map(({ username, password }) => `${username} ${password}`).join('\n');
}

/**
 * Plants once per data folder, and returns the sign-ins of then. If that fails it warns and returns undefined: the system is
 * of use without a demo world, and the next start tries again.
 */
export async function plantOnce(
  home: string,
  plant: () => Promise<string>,
  warn: (line: string) => void,
): Promise<string | undefined> {
  const marker = join(home, 'demo.txt');
  if (existsSync(marker)) return readFileSync(marker, 'utf8').trimEnd();
  try {
    const signIns = await plant();
    writeFileSync(marker, `${signIns}\n`, { mode: 0o600 });
    return signIns;
  } catch (error) {
    warn(`The demo world could not be made, and the next start with --demo tries again: ${String(error)}`);
    return undefined;
  }
}
