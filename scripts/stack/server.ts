// Room: the servers that GoChat needs (database, Redis, Kafka, Temporal), each with its download and its
// readiness. Our own services may not come in.

import type { Progress } from '../process/progress.ts';
import type { Supervisor } from '../process/supervisor.ts';
import type { Passwords } from '../topology/secrets.ts';
import type { Port, Profile } from '../topology/topology.ts';
import type { Requirement } from './requirements.ts';

/** In the order in which they start, and by the names that docker-compose.yml gives them. */
export const serverNames = ['mysql', 'redis', 'kafka', 'temporal'] as const;
export type ServerName = (typeof serverNames)[number];

/** One of the servers that GoChat stands on, provided by us. */
export interface Server {
  /** As people know it: `MariaDB`. */
  readonly name: string;
  readonly ports: readonly Port[];
  /** Programs that have to be on the machine. */
  readonly requirements: readonly Requirement[];
  /** Downloads and creates what is missing; starts nothing that stays. */
  prepare(): Promise<void>;
  /** Starts it and resolves when it can be used. */
  start(): Promise<void>;
  /** One look at whether it can be used. */
  ready(): Promise<boolean>;
  stop(): Promise<void>;
}

/** What every kind of server is made from. */
export interface ServerContext {
  profile: Profile;
  progress: Progress;
  supervisor: Supervisor;
  /** Made when it is first asked for, which nothing does before all checks have passed. */
  passwords(): Passwords;
}
