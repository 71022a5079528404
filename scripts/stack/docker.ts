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
/** Gives the database account the rights that tests need, and nobody else should have. */
const testsComposeFile = resolve(import.meta.dirname, 'docker-tests/compose.yml');

/** Whether the servers come from Docker: GOCHAT_STACK decides, else whether an engine with Compose works. */
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

/** The named servers as containers of docker-compose.yml, one Compose project for each data folder. */
export async function createDocker(context: ServerContext, names: ServerName[]): Promise<Server> {
  const { profile, passwords, supervisor } = context;
  const log = supervisor.logFile('docker');
  const compose = (args: string[]) =>
    runLogged('docker', composeArguments(profile, args), {
      log,
      env: composeEnv(profile, passwords()),
    });
  // What a killed start left running is not in the way, it is taken over.
  const question = composeArguments(profile, ['ps', '--quiet']);
  const { stdout } = await output('docker', question, { env: composeEnv(profile) });
  const isLeftOver = stdout.trim() !== '';

  const server: Server = {
    name: 'Docker Compose',
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
        // Compose has waited for its health check, which asks more than a port could tell.
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

/** Removes the containers and volumes of a data folder, if Docker ever ran some for it. */
export async function removeDockerData(profile: Profile): Promise<void> {
  if (!(await dockerWorks())) return;
  const env = composeEnv(profile);
  const { code, stderr } = await output('docker', composeArguments(profile, ['down', '--volumes']), {
    env,
    timeoutMs: 120_000,
  });
  if (code !== 0) throw new Problem('Docker Compose could not remove the servers:', stderr);
}

/** For Docker's command line. */
export function composeArguments(profile: Profile, args: string[]): string[] {
  const folder = createHash('sha256').update(profile.home).digest('hex').slice(0, 8);
  const files = profile.name === 'gochat-test' ? [composeFile, testsComposeFile] : [composeFile];
  const chosen = files.flatMap((file) => ['--file', file]);
  return ['compose', '--project-name', `${profile.name}-${folder}`, ...chosen, ...args];
}

/** Compose demands every variable of its file, also those of services that are not started. */
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
  };
}

function portsOf(profile: Profile, name: ServerName): Port[] {
  const ports = serverPorts(profile);
  if (name === 'temporal') return [ports.temporal, ports.temporalUi];
  return [ports[name]];
}
