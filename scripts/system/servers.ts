import { claim, type Lock } from '../process/lock.ts';
import { Problem } from '../process/problem.ts';
import type { Progress } from '../process/progress.ts';
import { endLeftovers, readRunFile, supervisorName } from '../process/run-file.ts';
import { createSupervisor, type Supervisor } from '../process/supervisor.ts';
import { createDatabaseServer, type DatabaseEngine } from '../stack/database-server.ts';
import { createDocker, removeDockerData, usesDocker } from '../stack/docker.ts';
import { createKafka } from '../stack/kafka.ts';
import { mariadb } from '../stack/mariadb.ts';
import { mysql } from '../stack/mysql.ts';
import { createRedis } from '../stack/redis.ts';
import {
  assertInstallable,
  installPackages,
  missingPackages,
  type Requirement,
} from '../stack/requirements.ts';
import { type Server, type ServerContext, type ServerName, serverNames } from '../stack/server.ts';
import { createTemporal } from '../stack/temporal.ts';
import { assertOwnHome, makeHome, wipeHome } from '../topology/home.ts';
import type { KeyFiles } from '../topology/keys.ts';
import { assertPortsFree } from '../topology/ports.ts';
import { ensureSecrets, type Secrets } from '../topology/secrets.ts';
import {
  type DatabaseName,
  type Port,
  type Profile,
  type ServerAddresses,
  serverAddresses,
} from '../topology/topology.ts';
import { assertDiskSpace } from './disk.ts';
import { assertExternalServersAnswer } from './external-servers.ts';

export interface RunningServers {
  addresses: ServerAddresses;
  keys: KeyFiles;
  supervisor: Supervisor;
  /** Resolves when that server is ready; at once if this process does not start it. */
  ready(name: ServerName): Promise<void>;
}

export interface Servers {
  /** Resolves when all servers are being started, or rejects if one of them cannot be. */
  begin(): Promise<RunningServers>;
  /** Resolves when all servers are ready. */
  start(): Promise<RunningServers>;
  /** Stops the started servers in order; safe at any time, also during a start. */
  stop(): Promise<void>;
}

export interface Extras {
  /** Further ports to check: those that the services will need. */
  ports?: readonly Port[];
  requirements?: readonly Requirement[];
  /** Start only these servers. */
  only?: readonly ServerName[];
  /** True: delete the data of earlier runs first. */
  fresh?: boolean;
}

/**
 * The database, Redis, Kafka and Temporal of a profile. Servers whose addresses the user has set are used as they
 * are, the others are started. All checks run before anything is changed.
 */
export function createServers(profile: Profile, progress: Progress, extras: Extras = {}): Servers {
  const supervisor = createSupervisor(profile.home, progress.say);
  let lock: Lock | undefined;
  let servers: Server[] = [];

  const allServers: Servers = {
    async begin() {
      assertOwnHome(profile.home);
      lock = await claimHome(profile.home);
      await endLeftovers(profile.home);
      let secrets: Secrets | undefined;
      const ownSecrets = () => {
        secrets ??= ensureSecrets(profile.home, profile.env);
        return secrets;
      };
      const context = { profile, progress, supervisor, passwords: () => ownSecrets().passwords };
      servers = await ownServers(context, extras.only ?? serverNames);
      const packages = await checkEverything(profile, servers, extras);

      if (extras.fresh === true) await wipe(profile);
      makeHome(profile.home);
      await installPackages(packages, profile.home, progress);
      const starts = new Map(servers.map((server) => [server, startServer(server, progress)]));
      const { passwords, keys } = ownSecrets();
      const redis = (await usesDocker(profile.env)) ? { redis: passwords.redis } : {};
      const addresses = serverAddresses(profile, { database: passwords.database, ...redis });
      return { addresses, keys, supervisor, ready: readiness(starts) };
    },

    async start() {
      const running = await allServers.begin();
      await Promise.all(serverNames.map(running.ready));
      return running;
    },

    async stop() {
      if (lock === undefined) return;
      supervisor.refuseStarts();
      for (const server of servers.toReversed()) await server.stop();
      supervisor.forget();
      await lock.release();
    },
  };
  return allServers;
}

/** Whether a server is ready, by its name. All of them in Docker are one server with one start. */
function readiness(starts: ReadonlyMap<Server, Promise<void>>): RunningServers['ready'] {
  // A start may fail before any caller awaits it; a later caller still gets the error.
  for (const started of starts.values()) started.catch(() => undefined);
  return async (name) => {
    const fitting = [...starts].filter(([server]) => server.provides.includes(name));
    await Promise.all(fitting.map(([, started]) => started));
  };
}

/** Throws a Problem if something prevents a start; otherwise returns the packages to install. */
async function checkEverything(
  profile: Profile,
  servers: readonly Server[],
  extras: Extras,
): Promise<string[]> {
  await assertPortsFree([...servers.flatMap((server) => server.ports), ...(extras.ports ?? [])]);
  await assertExternalServersAnswer(profile.env);
  await assertDiskSpace(profile.home);
  const packages = await missingPackages([
    ...servers.flatMap((server) => server.requirements),
    ...(extras.requirements ?? []),
  ]);
  assertInstallable(packages);
  return packages;
}

/** The servers whose addresses the user has not set: in Docker if it works, otherwise as child processes. */
async function ownServers(context: ServerContext, wanted: readonly ServerName[]): Promise<Server[]> {
  const { env } = context.profile;
  const missing = missingServers(env).filter((name) => wanted.includes(name));
  if (missing.length === 0) return [];
  if (await usesDocker(env)) {
    const isOwn = context.profile.database !== undefined && missing.includes('mysql');
    const ownDatabase = isOwn ? [native.mysql(context)] : [];
    const others = missing.filter((name) => name !== 'mysql' || ownDatabase.length === 0);
    return others.length === 0 ? ownDatabase : [...ownDatabase, await createDocker(context, others)];
  }
  return missing.map((name) => native[name](context));
}

const engines: Record<DatabaseName, DatabaseEngine> = { mariadb, mysql };

const native: Record<ServerName, (context: ServerContext) => Server> = {
  mysql: (context) => createDatabaseServer(engines[context.profile.database ?? 'mariadb'], context),
  redis: createRedis,
  kafka: createKafka,
  temporal: createTemporal,
};

function missingServers(env: NodeJS.ProcessEnv): ServerName[] {
  const variables: Record<ServerName, string | undefined> = {
    mysql: env.DATABASE_URL || env.DATABASES_FILE,
    redis: env.REDIS_URL,
    kafka: env.KAFKA_BROKERS,
    temporal: env.TEMPORAL_ADDRESS,
  };
  return serverNames.filter((name) => !variables[name]);
}

async function startServer(server: Server, progress: Progress): Promise<void> {
  await server.prepare();
  await progress.step(`${server.name} is ready`, () => server.start());
}

async function wipe(profile: Profile): Promise<void> {
  await removeDockerData(profile);
  wipeHome(profile.home);
}

async function claimHome(home: string): Promise<Lock> {
  const lock = await claim(home);
  if (lock !== undefined) return lock;
  const pid = readRunFile(home)[supervisorName]?.pid;
  const who = pid === undefined ? 'it is just starting or stopping' : `pid ${pid}`;
  throw new Problem(`GoChat already runs from ${home} (${who}): stop it with Ctrl-C there, or with kill.`);
}
