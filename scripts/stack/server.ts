// Room: the servers that GoChat needs (database, Redis, Kafka, Temporal), each with its download and its readiness
// check. GoChat's own services may not come in.

import type { Progress } from '../process/progress.ts';
import type { Supervisor } from '../process/supervisor.ts';
import type { Passwords } from '../topology/secrets.ts';
import type { Port, Profile } from '../topology/topology.ts';
import type { Requirement } from './requirements.ts';

/** The servers in start order, with their names in docker-compose.yml. */
export const serverNames = ['mysql', 'redis', 'kafka', 'temporal'] as const;
export type ServerName = (typeof serverNames)[number];

/** A server that these scripts run for GoChat. */
export interface Server {
  /** The product name: `MariaDB`. */
  readonly name: string;
  /** The servers that it is: one, or several in Docker. */
  readonly provides: readonly ServerName[];
  readonly ports: readonly Port[];
  /** Programs that must be installed on the machine. */
  readonly requirements: readonly Requirement[];
  /** Downloads and creates missing files; starts no process that keeps running. */
  prepare(): Promise<void>;
  /** Starts the server; resolves when it is ready. */
  start(): Promise<void>;
  /** Checks once whether the server is ready. */
  ready(): Promise<boolean>;
  stop(): Promise<void>;
}

/** The dependencies of every kind of server. */
export interface ServerContext {
  profile: Profile;
  progress: Progress;
  supervisor: Supervisor;
  /** Creates the passwords at the first call; no server calls it before all checks have passed. */
  passwords(): Passwords;
}
