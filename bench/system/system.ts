// Room: the system under load: its addresses, the resources of its processes, the durations of its stages. No code
// that creates load may come in.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunFile } from '../../scripts/process/run-file.ts';
import { noKeys } from '../../scripts/topology/keys.ts';
import {
  gatewayPorts,
  type Profile,
  serverAddresses,
  servicePlans,
  userProfile,
} from '../../scripts/topology/topology.ts';

/** The addresses of the system under test. */
export type System = {
  /** The base URLs of its gateways. */
  gateways: string[];
  /** Its data folder, which contains run.json. */
  home: string;
  /** The metrics pages of its services. */
  metrics: { service: string; url: string }[];
  temporalAddress: string;
  /** Undefined if the password is unknown: the database then cannot be seeded. */
  databaseUrl: string | undefined;
  /** How long its start took, in all and by part; only of a system that the benchmark has started. */
  start?: { seconds: number; parts: { title: string; seconds: number }[] };
  /** Restarts the services with other numbers of processes; only for a system that the benchmark has started. */
  resize?: (size: Size) => Promise<void>;
};

export type Size = { gateways: number; logics: number; core: boolean };

const nothing = { DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '', TEMPORAL_ADDRESS: '' };
/**
 * Finds the system that `npm start` runs with the same environment (GOCHAT_HOME and port variables). Named gateways
 * override those of the environment.
 */
export function locateSystem(named: string[] | undefined, env: NodeJS.ProcessEnv): System {
  const { home } = userProfile(env);
  const running = Object.keys(readRunFile(home));
  const count = (kind: RegExp) => Math.max(1, running.filter((name) => kind.test(name)).length);
  const gateways = Math.max(count(/^gateway-\d+$/), named?.length ?? 0);
  const logics = count(/^logic(-\d+)?$/);
  const profile = { ...userProfile(env, gateways, !running.includes('logic')), logics };
  return { ...describeSystem(profile), ...(named ? { gateways: named } : {}) };
}

/** The addresses of a profile's system, even if it does not run. */
export function describeSystem(profile: Profile): System {
  const addresses = serverAddresses(profile, { database: databasePassword(profile.home) });
  const known = profile.env.DATABASE_URL !== undefined || databasePassword(profile.home) !== '';
  return {
    gateways: gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`),
    home: profile.home,
    metrics: servicePlans(profile, nothing, noKeys)
      .flatMap(({ admins }) => admins)
      .map(({ service, url }) => ({ service, url: `${url}/metrics` })),
    temporalAddress: addresses.TEMPORAL_ADDRESS,
    databaseUrl: known ? addresses.DATABASE_URL : undefined,
  };
}

function databasePassword(home: string): string {
  try {
    return readFileSync(join(home, 'secrets', 'database-password'), 'utf8').trim();
  } catch {
    return '';
  }
}
