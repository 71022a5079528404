import { readRunFile } from '../../scripts/run-file.ts';
import { gatewayPorts, servicePlans, userProfile } from '../../scripts/topology.ts';

/** Where the system under test is. */
export type System = {
  /** Base URLs. */
  gateways: string[];
  /** Its data folder, with run.json in it. */
  home: string;
  /** Admin pages of its services. */
  metrics: { service: string; url: string }[];
  temporalAddress: string;
};

const nothing = { DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '', TEMPORAL_ADDRESS: '' };
const noKeys = { AUTH_PRIVATE_KEY_FILE: '', AUTH_PUBLIC_KEY_FILE: '' };

/**
 * Finds the system that `npm start` runs with the same environment: GOCHAT_HOME and the ports are its own variables.
 * Gateways that are named win.
 */
export function locateSystem(named: string[] | undefined, env: NodeJS.ProcessEnv): System {
  const { home } = userProfile(env);
  const running = Object.keys(readRunFile(home)).filter((name) => /^gateway-\d+$/.test(name)).length;
  const profile = userProfile(env, Math.max(1, running, named?.length ?? 0));
  const own = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
  return {
    gateways: named ?? own,
    home,
    metrics: servicePlans(profile, nothing, noKeys).map((plan) => ({
      service: plan.name,
      url: plan.metricsUrl,
    })),
    temporalAddress: env.TEMPORAL_ADDRESS ?? `127.0.0.1:${env.TEMPORAL_PORT ?? 7233}`,
  };
}
