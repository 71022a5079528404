import { join } from 'node:path';
import type { Progress } from '../process/progress.ts';
import { lastLines } from '../process/supervisor.ts';
import { usesDocker } from '../stack/docker.ts';
import { prometheusPrograms } from '../stack/prometheus.ts';
import { serverNames } from '../stack/server.ts';
import { temporalCli, temporalTestServer, testServerRequirements } from '../stack/temporal.ts';
import { createServers, type RunningServers, type Servers } from '../system/servers.ts';
import { createServices, type Services } from '../system/services.ts';
import { workflowBundle } from '../system/workflow-bundle.ts';
import { writeDatabasesFile } from '../topology/databases.ts';
import {
  gatewayPorts,
  type Profile,
  type ServicePlan,
  serverAddresses,
  servicePorts,
} from '../topology/topology.ts';
import { createDoors, type Doors } from './doors/doors.ts';
import type { Need } from './needs.ts';
import type { Step } from './steps.ts';

/** The system for tests: servers with separate ports and data, and the services on them. */
export interface TestSystem {
  /** For tests that need no server: its server addresses have ports on which no process listens. */
  readonly env: NodeJS.ProcessEnv;
  /**
   * Starts the needed servers. Resolves to an environment with their addresses and the programs that tests start
   * themselves.
   */
  startServers(needs: ReadonlySet<Need>): Promise<NodeJS.ProcessEnv>;
  /** Starts the services with the step's settings, runs `work` and stops them. */
  withServices<T>(step: Step, work: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T>;
  /** The last lines of the log of each running service. */
  logs(): string;
  /** Stops all running processes; safe at any time. */
  stop(): Promise<void>;
}

export function createTestSystem(plain: Profile, progress: Progress): TestSystem {
  let profile = plain;
  let doors: Doors | undefined;
  let servers: Servers | undefined;
  let services: Services | undefined;
  let running: { servers: RunningServers; env: NodeJS.ProcessEnv } | undefined;

  const env = {
    ...profile.env,
    ...serverAddresses(profile, { database: 'unused' }),
    GOCHAT_HOME: profile.home,
  };

  return {
    env,

    async startServers(needs) {
      const ports = needs.has('system') ? await prepareSystem() : [];
      servers = createServers(profile, progress, {
        ports,
        only: serverNames.filter((name) => needs.has(name)),
        requirements: needs.has('temporal-programs') ? testServerRequirements() : [],
        fresh: true,
      });
      const started = await servers.start();
      const { GRPC_TOKEN_FILE: _, FILES_SECRET_FILE: _secret, ...signing } = started.keys;
      running = {
        servers: started,
        env: {
          ...env,
          ...started.addresses,
          ...signing,
          TEMPORAL_NAMESPACE: 'gochat',
          ...(await programs(needs, started.supervisor.logFile('downloads'))),
        },
      };
      return running.env;
    },

    async withServices(step, work) {
      if (running === undefined || doors === undefined) throw new Error('the servers have not been started');
      const own = { ...profile, core: step.apart !== true, env: { ...step.settings, ...profile.env } };
      services = createServices(own, running.servers, progress, doors.reroute);
      try {
        await doors.open();
        await services.start();
        return await work({ ...running.env, ...systemEnv(services.plans), ...databasesEnv(running.env) });
      } finally {
        await services.stop();
      }
    },

    logs: () =>
      (services?.plans ?? [])
        .map(({ name }) => {
          const end = lastLines(running?.servers.supervisor.logFile(name) ?? '', 12).replace(/^/gm, '   ');
          return `\n   The end of ${join('.gochat/test/logs', `${name}.log`)}:\n${end}`;
        })
        .join('\n'),

    async stop() {
      await services?.stop();
      await doors?.close();
      await servers?.stop();
    },
  };

  /** Tests look into the databases without doors. */
  function databasesEnv({ DATABASE_URL }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const { databases: layout = 'one', home } = profile;
    if (layout === 'one' || DATABASE_URL === undefined) return {};
    return { DATABASES_FILE: writeDatabasesFile(join(home, 'databases-tests.json'), layout, DATABASE_URL) };
  }

  /** Plans a door between every process and its servers and peers; returns the ports that the system will need. */
  async function prepareSystem() {
    // A broker in Docker cannot get additional listeners. Errors of Docker are reported when the servers start.
    const inDocker = await usesDocker(profile.env).catch(() => false);
    doors = createDoors(profile, { toKafka: !inDocker });
    profile = { ...profile, brokerEntrances: doors.brokerEntrances };
    return [...servicePorts(profile), ...doors.ports];
  }

  async function programs(needs: ReadonlySet<Need>, log: string): Promise<NodeJS.ProcessEnv> {
    return {
      ...(needs.has('temporal-programs') && {
        TEMPORAL_CLI_PATH: await temporalCli(progress, log),
        TEMPORAL_TEST_SERVER_PATH: await temporalTestServer(progress, log),
      }),
      ...(needs.has('prometheus-programs') && (await prometheusPrograms(progress, log))),
      ...(needs.has('workflow-bundle') && { WORKFLOW_BUNDLE_FILE: await workflowBundle(profile.home) }),
    };
  }

  /**
   * The addresses for end-to-end tests: the system without doors, and the doors' control API; GOCHAT_HOME contains
   * run.json.
   */
  function systemEnv(plans: ServicePlan[]): NodeJS.ProcessEnv {
    const [first, second] = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
    const metrics = plans
      .flatMap(({ admins }) => admins)
      .map(({ service, url }) => [
        `${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`,
        `${url}/metrics`,
      ]);
    const { REPO_ADDRESS, LOGIC_ADDRESS, GRPC_TOKEN_FILE } = plans[0]?.env ?? {};
    return {
      GATEWAY_URL: first,
      GATEWAY2_URL: second,
      REPO_ADDRESS,
      LOGIC_ADDRESS,
      GRPC_TOKEN_FILE,
      DOORS_URL: doors?.controlUrl,
      ...Object.fromEntries(metrics),
    };
  }
}
