// Room: the layout of the system on one machine: ports, folders, settings, secrets. Code that starts processes may
// not come in.

import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '../process/problem.ts';
import { fileFolder, homesWithin } from './home.ts';
import { type KeyFiles, noKeys } from './keys.ts';
import type { DatabaseLayout } from './layouts.ts';
import { allocatorSettings, nodeOptions } from './memory.ts';

/**
 * A profile is the system with its own ports and data folder, so that tests can run beside a system in use. This file
 * has all default addresses of GoChat.
 */
export interface Profile {
  name: 'gochat' | 'gochat-test' | 'gochat-bench';
  /** The folder of data, logs, secrets and run.json. */
  home: string;
  /** Added to every default port. */
  portOffset: number;
  gateways: number;
  /** The number of logic processes, which share the partitions of gochat.messages.upstream. */
  logics: number;
  /**
   * True: im-repo, im-logic and im-pusher run as one process, `core`, which is faster and smaller; impossible with
   * several logic processes.
   */
  core: boolean;
  /** True: all processes take less memory; see memory.ts. */
  small: boolean;
  /** The user's settings. Ports and server addresses in it override the defaults. */
  env: NodeJS.ProcessEnv;
  /** The database server to run as a child process, even if the other servers run in Docker. */
  database?: DatabaseName;
  /** How the groups of tables are spread; one database unless set. */
  databases?: DatabaseLayout;
  /** Additional listeners of the Kafka broker. */
  brokerEntrances?: readonly BrokerEntrance[];
}

/** The database servers that the scripts can run. Users get MariaDB; MySQL is for tests. */
export const databaseNames = ['mariadb', 'mysql'] as const;
export type DatabaseName = (typeof databaseNames)[number];

/** A listener of the Kafka broker that advertises the address of a proxy in front of it. */
export interface BrokerEntrance {
  /** The name of the listener: `LOGIC`. */
  name: string;
  port: number;
  advertisedPort: number;
}

export interface Port {
  variable: string;
  port: number;
}

export interface ServerPorts {
  mysql: Port;
  redis: Port;
  kafka: Port;
  kafkaController: Port;
  temporal: Port;
  temporalUi: Port;
}

/** The addresses of the four servers, as settings of the services. */
export interface ServerAddresses {
  DATABASE_URL: string;
  REDIS_URL: string;
  KAFKA_BROKERS: string;
  TEMPORAL_ADDRESS: string;
}

/** The address of a service's /metrics and /readyz. */
export interface AdminPage {
  service: string;
  url: string;
}

/** A process to start. */
export interface ServicePlan {
  /** `core`, `gateway-1`, … */
  name: string;
  /** The path of its program, relative to the checkout. */
  entry: string;
  nodeOptions: string[];
  env: NodeJS.ProcessEnv;
  ports: Port[];
  /** One per service in the process. */
  admins: AdminPage[];
  /** True: its output goes to the terminal instead of its log file. */
  inTerminal?: boolean;
}

const loopback = '127.0.0.1';
const maxGateways = 8;
const defaultHome = '.gochat';

/** The settings with which a run would use the user's own servers and ports. */
const serverVariables = [
  'DATABASE_URL',
  'DATABASES_FILE',
  'REDIS_URL',
  'KAFKA_BROKERS',
  'TEMPORAL_ADDRESS',
  'GRPC_TOKEN_FILE',
  'FILES_URL',
  'FILES_SECRET_FILE',
  'GOCHAT_HOME',
];

export function userProfile(env: NodeJS.ProcessEnv, gateways = 1, core = true, small = false): Profile {
  if (gateways < 1 || gateways > maxGateways) {
    throw new Problem(`--gateways takes a number from 1 to ${maxGateways}.`);
  }
  const home = resolve(env.GOCHAT_HOME ?? defaultHome);
  return { name: 'gochat', home, portOffset: 0, gateways, logics: 1, core, small, env };
}

/** The profile of tests. It drops the settings that name the user's servers, ports or data. */
export function testProfile(env: NodeJS.ProcessEnv): Profile {
  return {
    name: 'gochat-test',
    home: resolve(defaultHome, homesWithin.tests),
    portOffset: wholeNumber('TEST_PORT_OFFSET', env.TEST_PORT_OFFSET, 20_000),
    gateways: 2,
    logics: 1,
    core: true,
    small: false,
    // Tests wait until users go offline; the default is 30 s.
    env: { OFFLINE_CONFIRM_MS: '3000', CHECK_TABLE_GROUPS: 'true', ...withoutServers(env) },
  };
}

/**
 * The profile of benchmarks, which have their own system: separate ports and data, and without the rate limits for
 * users.
 */
export function benchProfile(
  env: NodeJS.ProcessEnv,
  size: { gateways: number; logics: number; core: boolean },
): Profile {
  return {
    name: 'gochat-bench',
    home: resolve(env.GOCHAT_HOME ?? defaultHome, homesWithin.bench),
    portOffset: wholeNumber('BENCH_PORT_OFFSET', env.BENCH_PORT_OFFSET, 10_000),
    ...size,
    small: false,
    env: { GROUP_MAX_MEMBERS: '20000', ...withoutServers(env), ...withoutLimits },
  };
}

const withoutLimits = {
  RATE_LIMIT_REGISTER_PER_HOUR: '0',
  RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '0',
  RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0',
  RATE_LIMIT_FRAMES_PER_SECOND: '0',
  RATE_LIMIT_BYTES_PER_SECOND: '0',
  MAX_SOCKETS_PER_USER: '0',
  MAX_SOCKETS_PER_ADDRESS: '0',
};

const withoutServers = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !serverVariables.includes(name) && !name.endsWith('_PORT')),
  );

export function serverPorts(profile: Profile): ServerPorts {
  return {
    mysql: portOf(profile, 'MYSQL_PORT', 3306),
    redis: portOf(profile, 'REDIS_PORT', 6379),
    kafka: portOf(profile, 'KAFKA_PORT', 9092),
    kafkaController: portOf(profile, 'KAFKA_CONTROLLER_PORT', 9093),
    temporal: portOf(profile, 'TEMPORAL_PORT', 7233),
    temporalUi: portOf(profile, 'TEMPORAL_UI_PORT', 8233),
  };
}

/**
 * The addresses of the servers that the scripts start; the user's settings override them. Redis may have no password.
 */
export function serverAddresses(
  profile: Profile,
  passwords: { database: string; redis?: string },
): ServerAddresses {
  const ports = serverPorts(profile);
  const { env } = profile;
  const toRedis = passwords.redis === undefined ? '' : `:${passwords.redis}@`;
  return {
    DATABASE_URL:
      env.DATABASE_URL ?? `mysql://gochat:${passwords.database}@${loopback}:${ports.mysql.port}/gochat`,
    REDIS_URL: env.REDIS_URL ?? `redis://${toRedis}${loopback}:${ports.redis.port}/0`,
    KAFKA_BROKERS: env.KAFKA_BROKERS ?? `${loopback}:${ports.kafka.port}`,
    TEMPORAL_ADDRESS: env.TEMPORAL_ADDRESS ?? `${loopback}:${ports.temporal.port}`,
  };
}

/** The processes of the five services, in start order. */
export function servicePlans(profile: Profile, servers: ServerAddresses, keys: KeyFiles): ServicePlan[] {
  const repo = portOf(profile, 'REPO_GRPC_PORT', 9001);
  const logics = logicPorts(profile);
  const common = {
    NODE_ENV: 'development',
    ...allocatorSettings,
    TEMPORAL_NAMESPACE: 'gochat',
    LOGIC_ID: 'logic-1',
    // On one machine all clients have the same address, and a few users create the load.
    RATE_LIMIT_REGISTER_PER_HOUR: '0',
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0',
    MAX_SOCKETS_PER_USER: '0',
    MAX_SOCKETS_PER_ADDRESS: '0',
    ...profile.env,
    GOCHAT_HOME: profile.home,
    BIND_HOST: loopback,
    GRPC_TOKEN_FILE: keys.GRPC_TOKEN_FILE,
    KAFKA_BROKERS: servers.KAFKA_BROKERS,
    TEMPORAL_ADDRESS: servers.TEMPORAL_ADDRESS,
    REPO_ADDRESS: `${loopback}:${repo.port}`,
    LOGIC_ADDRESS: addressOf(logics.map(({ grpc }) => `${loopback}:${grpc.port}`)),
  };

  const plan = (name: string, env: NodeJS.ProcessEnv, metrics: Port, ports: Port[]): ServicePlan => ({
    name,
    entry: `services/${name.replace(/-\d+$/, '')}/main.ts`,
    nodeOptions: nodeOptions(name, profile.small),
    env: { ...common, ...env, METRICS_PORT: String(metrics.port) },
    ports: [...ports, metrics],
    admins: [{ service: name, url: `http://${loopback}:${metrics.port}` }],
  });

  const gateways = gatewayPorts(profile).map(({ http, grpc, metrics }, index) =>
    plan(
      `gateway-${index + 1}`,
      {
        GATEWAY_ID: `gateway-${index + 1}`,
        GATEWAY_HOST: profile.env.GATEWAY_HOST ?? loopback,
        GATEWAY_PORT: String(http.port),
        GATEWAY_GRPC_PORT: String(grpc.port),
        GATEWAY_GRPC_ADVERTISE: `${loopback}:${grpc.port}`,
        AUTH_PUBLIC_KEY_FILE: keys.AUTH_PUBLIC_KEY_FILE,
      },
      metrics,
      [http, grpc],
    ),
  );

  const coldUrl = profile.env.COLD_URL ?? pathToFileURL(join(profile.home, 'cold')).href;
  const repoPlan = plan(
    'repo',
    {
      // The user's own file names the cold store, too.
      ...(profile.env.DATABASES_FILE ? {} : { DATABASE_URL: servers.DATABASE_URL, COLD_URL: coldUrl }),
      REDIS_URL: servers.REDIS_URL,
      REPO_GRPC_PORT: String(repo.port),
      FILES_URL: profile.env.FILES_URL || pathToFileURL(fileFolder(profile.home)).href,
      FILES_SECRET_FILE: keys.FILES_SECRET_FILE,
    },
    portOf(profile, 'REPO_METRICS_PORT', 9466),
    [repo],
  );
  const logicPlans = logics.map(({ grpc, metrics }, index) =>
    plan(
      index === 0 ? 'logic' : `logic-${index + 1}`,
      {
        ...(index === 0 ? {} : { LOGIC_ID: `logic-${index + 1}` }),
        LOGIC_GRPC_PORT: String(grpc.port),
        AUTH_PRIVATE_KEY_FILE: keys.AUTH_PRIVATE_KEY_FILE,
      },
      metrics,
      [grpc],
    ),
  );
  const taskPlan = plan('task', {}, portOf(profile, 'TASK_METRICS_PORT', 9467), []);
  const pusherPlan = plan('pusher', {}, portOf(profile, 'PUSHER_METRICS_PORT', 9468), []);
  const [logicPlan] = logicPlans;
  return profile.core && logicPlan
    ? [corePlan({ repo: repoPlan, logic: logicPlan, pusher: pusherPlan }), taskPlan, ...gateways]
    : [repoPlan, ...logicPlans, taskPlan, pusherPlan, ...gateways];
}

/** One process for several services; each keeps its own ports. Their settings differ only in METRICS_PORT. */
function corePlan(plans: Record<'repo' | 'logic' | 'pusher', ServicePlan>): ServicePlan {
  const all = Object.entries(plans);
  const { METRICS_PORT: _, ...env } = Object.assign({}, ...all.map(([, plan]) => plan.env));
  const metrics = all.map(([name, plan]) => [`${name.toUpperCase()}_METRICS_PORT`, plan.env.METRICS_PORT]);
  return {
    name: 'core',
    entry: 'services/core/main.ts',
    nodeOptions: plans.repo.nodeOptions,
    env: { ...env, ...Object.fromEntries(metrics) },
    ports: all.flatMap(([, plan]) => plan.ports),
    admins: all.flatMap(([, plan]) => plan.admins),
  };
}

/** All ports on which the services will listen. */
export function servicePorts(profile: Profile): Port[] {
  const nowhere = { DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '', TEMPORAL_ADDRESS: '' };
  return servicePlans(profile, nowhere, noKeys).flatMap((plan) => plan.ports);
}

export interface GatewayPorts {
  http: Port;
  grpc: Port;
  metrics: Port;
}

/** The first gateway has the documented ports; each further gateway has ports of its own. */
export function gatewayPorts(profile: Profile): GatewayPorts[] {
  return Array.from({ length: profile.gateways }, (_, index) => {
    const prefix = index === 0 ? 'GATEWAY' : `GATEWAY${index + 1}`;
    return {
      http: portOf(profile, `${prefix}_PORT`, 8080 + index),
      grpc: portOf(profile, `${prefix}_GRPC_PORT`, 9003 + 10 * index),
      metrics: portOf(profile, `${prefix}_METRICS_PORT`, 9464 + 10 * index),
    };
  });
}

/** The ports of the logic processes; the first has the documented ports. */
function logicPorts(profile: Profile): { grpc: Port; metrics: Port }[] {
  return Array.from({ length: profile.logics }, (_, index) => {
    const prefix = index === 0 ? 'LOGIC' : `LOGIC${index + 1}`;
    return {
      grpc: portOf(profile, `${prefix}_GRPC_PORT`, 9002 + 10 * index),
      metrics: portOf(profile, `${prefix}_METRICS_PORT`, 9465 + 10 * index),
    };
  });
}

/** A single address unchanged; several as a gRPC address list, over which calls are balanced. */
const addressOf = (all: readonly string[]): string =>
  all.length === 1 ? all.join() : `ipv4:${all.join(',')}`;

function portOf(profile: Profile, variable: string, standard: number): Port {
  const port = wholeNumber(variable, profile.env[variable], standard + profile.portOffset);
  if (port < 1 || port > 65_535)
    throw new Problem(`${variable} must be a port from 1 to 65535, not ${port}.`);
  return { variable, port };
}

function wholeNumber(variable: string, text: string | undefined, standard: number): number {
  if (text === undefined || text === '') return standard;
  if (!/^\d{1,9}$/.test(text)) throw new Problem(`${variable} must be a whole number, not "${text}".`);
  return Number(text);
}
