import type { BrokerEntrance, Port, Profile, ServicePlan } from '../../topology/topology.ts';

/** A door on the way from a service to what it needs. */
export interface DoorPlan {
  /** `repo-mysql`: who goes through it, and to whom. */
  name: string;
  service: string;
  /** The setting of the service that names the way. */
  variable: string;
  port: number;
  /** Kafka only: where behind the door the broker listens. */
  entrancePort?: number;
}

const firstDoorPort = 9200;
const firstEntrancePort = 9240;
const controlPort = 9299;

const ways = {
  mysql: 'DATABASE_URL',
  redis: 'REDIS_URL',
  kafka: 'KAFKA_BROKERS',
  temporal: 'TEMPORAL_ADDRESS',
  repo: 'REPO_ADDRESS',
  logic: 'LOGIC_ADDRESS',
  // Not where it goes, but where the others come to it.
  peers: 'GATEWAY_GRPC_ADVERTISE',
} as const;

const needs: Record<string, readonly (keyof typeof ways)[]> = {
  core: ['mysql', 'redis', 'kafka', 'temporal'],
  repo: ['mysql', 'redis', 'kafka'],
  logic: ['kafka', 'temporal', 'repo'],
  task: ['kafka', 'temporal', 'repo'],
  pusher: ['kafka', 'repo'],
  'gateway-1': ['kafka', 'repo', 'logic', 'peers'],
  'gateway-2': ['kafka', 'repo', 'logic', 'peers'],
};

/** Every door that a system under test may have; none to a broker that is not ours to give entrances to. */
export function doorPlans({ portOffset }: Profile, { toKafka }: { toKafka: boolean }): DoorPlan[] {
  const doors = Object.entries(needs).flatMap(([service, servers]) =>
    servers.map((server) => ({ name: `${service}-${server}`, service, variable: ways[server] })),
  );
  return doors
    .filter(({ variable }) => toKafka || variable !== ways.kafka)
    .map((door, index) => ({
      ...door,
      port: firstDoorPort + portOffset + index,
      ...(door.variable === ways.kafka ? { entrancePort: firstEntrancePort + portOffset + index } : {}),
    }));
}

/** Where the doors are set. */
export const doorControlPort = ({ portOffset }: Profile): number => controlPort + portOffset;

/**
 * A broker tells its clients the address at which to go on, so a door to it leads to an entrance of its own, whose
 * clients are told the door's address.
 */
export function brokerEntrances(doors: readonly DoorPlan[]): BrokerEntrance[] {
  return doors.flatMap(({ service, port, entrancePort }) =>
    entrancePort === undefined
      ? []
      : [{ name: service.toUpperCase().replace('-', '_'), port: entrancePort, advertisedPort: port }],
  );
}

/** Every port that doors need, their control and the broker's entrances included. */
export function doorPorts(profile: Profile, doors: readonly DoorPlan[]): Port[] {
  const ports = [
    doorControlPort(profile),
    ...doors.flatMap(({ port, entrancePort }) => [port, entrancePort]),
  ];
  return ports.flatMap((port) => (port === undefined ? [] : [{ variable: 'TEST_PORT_OFFSET', port }]));
}

const address = /127\.0\.0\.1:(\d+)/;

/** Where a door leads. */
export function targetOf(door: DoorPlan, plans: readonly ServicePlan[]): number {
  const way = plans.find(({ name }) => name === door.service)?.env[door.variable];
  return door.entrancePort ?? Number(address.exec(way ?? '')?.[1]);
}

/** The same services, which go through the doors. */
export function throughDoors(plans: readonly ServicePlan[], doors: readonly DoorPlan[]): ServicePlan[] {
  return plans.map((plan) => {
    const own = doors.filter(({ service }) => service === plan.name);
    const ways = own.map(({ variable, port }) => [
      variable,
      plan.env[variable]?.replace(address, `127.0.0.1:${port}`),
    ]);
    return { ...plan, env: { ...plan.env, ...Object.fromEntries(ways) } };
  });
}
