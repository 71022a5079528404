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
