import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Problem } from '../process/problem.ts';
import { output, runLogged } from '../process/program.ts';
import { lastLines } from '../process/supervisor.ts';
import type { Passwords } from '../topology/secrets.ts';
import { type Port, type Profile, serverPorts } from '../topology/topology.ts';
import { kafkaServes, mysqlGreets, redisTakesPassword } from './probes.ts';
import type { Server, ServerContext, ServerName } from './server.ts';

const composeFile = resolve(import.meta.dirname, '../../docker-compose.yml');
/** Gives the database account the additional rights that tests need. */
const testsComposeFile = resolve(import.meta.dirname, 'docker-tests/compose.yml');

/** True if the servers should run in Docker: if GOCHAT_STACK says so or, without it, if Docker and Compose work. */
export async function usesDocker(env: NodeJS.ProcessEnv): Promise<boolean> {
  const wanted = env.GOCHAT_STACK;
  if (wanted === 'native') return false;
  if (wanted !== undefined && wanted !== '' && wanted !== 'docker') {
    throw new Problem(`GOCHAT_STACK must be native or docker, not "${wanted}".`);
  }
  const works = await dockerWorks();
  if (!works && wanted === 'docker') {
    throw new Problem(
      'GOCHAT_STACK=docker needs a running Docker engine with Compose: "docker info" says what is wrong.',
    );
  }
  return works;
}

async function dockerWorks(): Promise<boolean> {
  const answers = await Promise.all([output('docker', ['info']), output('docker', ['compose', 'version'])]);
  return answers.every(({ code }) => code === 0);
}

/** Runs the named servers as containers of docker-compose.yml, in one Compose project per data folder. */
export async function createDocker(context: ServerContext, names: ServerName[]): Promise<Server> {
  const { profile, passwords, supervisor } = context;
  const log = supervisor.logFile('docker');
  const compose = (args: string[]) =>
    runLogged('docker', composeArguments(profile, args), {
      log,
      env: composeEnv(profile, passwords()),
    });
  // Containers that a killed start has left running are reused.
  const question = composeArguments(profile, ['ps', '--quiet']);
  const { stdout } = await output('docker', question, { env: composeEnv(profile) });
  const isLeftOver = stdout.trim() !== '';

  const server: Server = {
    name: 'Docker Compose',
    provides: names,
    ports: isLeftOver ? [] : names.flatMap((name) => portsOf(profile, name)),
    requirements: [],

    async prepare() {
      context.progress.say('The servers come from Docker; its first download takes some minutes');
    },

    async start() {
      const code = await compose(['up', '--detach', '--wait', '--wait-timeout', '900', ...names]);
      if (code === 0 && (await server.ready())) return;
      throw new Problem(
        `Docker Compose could not start the servers; the end of ${log} says why:`,
        lastLines(log),
      );
    },

    async ready() {
      const ports = serverPorts(profile);
      const probes: Record<ServerName, () => Promise<boolean>> = {
        mysql: () => mysqlGreets(ports.mysql.port),
        redis: () => redisTakesPassword(ports.redis.port, passwords().redis),
        kafka: () => kafkaServes(ports.kafka.port),
        // Compose has waited for the container's health check, which tests more than an open port.
        temporal: async () => true,
      };
      const answers = await Promise.all(names.map((name) => probes[name]()));
      return answers.every(Boolean);
    },

    async stop() {
      await compose(['stop', '--timeout', '30', ...names]);
    },
  };
  return server;
}

/** Removes the containers and volumes of a data folder, if it has any. */
export async function removeDockerData(profile: Profile): Promise<void> {
  if (!(await dockerWorks())) return;
  const env = composeEnv(profile);
  const { code, stderr } = await output('docker', composeArguments(profile, ['down', '--volumes']), {
    env,
    timeoutMs: 120_000,
  });
  if (code !== 0) throw new Problem('Docker Compose could not remove the servers:', stderr);
}

/** The arguments of `docker` for a Compose command on the profile's project. */
export function composeArguments(profile: Profile, args: string[]): string[] {
  const folder = createHash('sha256').update(profile.home).digest('hex').slice(0, 8);
  const files = profile.name === 'gochat-test' ? [composeFile, testsComposeFile] : [composeFile];
  const chosen = files.flatMap((file) => ['--file', file]);
  return ['compose', '--project-name', `${profile.name}-${folder}`, ...chosen, ...args];
}

/** Compose requires every variable of its file, including those of services that are not started. */
function composeEnv(
  profile: Profile,
  passwords: Passwords = { database: 'unused', redis: 'unused' },
): NodeJS.ProcessEnv {
  const ports = Object.values(serverPorts(profile)).map(({ variable, port }: Port) => [
    variable,
    String(port),
  ]);
  return {
    ...profile.env,
    ...Object.fromEntries(ports),
    GOCHAT_DATABASE_PASSWORD: passwords.database,
    GOCHAT_REDIS_PASSWORD: passwords.redis,
    AUTH_PRIVATE_KEY_FILE: '/dev/null',
    AUTH_PUBLIC_KEY_FILE: '/dev/null',
    GRPC_TOKEN_FILE: '/dev/null',
    FILES_SECRET_FILE: '/dev/null',
  };
}

function portsOf(profile: Profile, name: ServerName): Port[] {
  const ports = serverPorts(profile);
  if (name === 'temporal') return [ports.temporal, ports.temporalUi];
  return [ports[name]];
}
