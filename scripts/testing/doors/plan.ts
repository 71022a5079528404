import type { BrokerEntrance, Port, Profile, ServicePlan } from '../../topology/topology.ts';

/** A door between a service and a server or peer that it connects to. */
export interface DoorPlan {
  /** The client and the server: `repo-mysql`. */
  name: string;
  service: string;
  /** The setting of the service that holds the address. */
  variable: string;
  port: number;
  /** Kafka only: the port of the broker's listener behind the door. */
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
  // Not the address of a server, but the one under which other gateways reach this gateway.
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

/** All doors of a system under test; without doors to Kafka if its broker cannot get additional listeners. */
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

/** The port of the doors' control API. */
export const doorControlPort = ({ portOffset }: Profile): number => controlPort + portOffset;

/**
 * A Kafka broker sends its clients the address to reconnect to. So each door to it has a listener of its own, which
 * advertises the door's address.
 */
export function brokerEntrances(doors: readonly DoorPlan[]): BrokerEntrance[] {
  return doors.flatMap(({ service, port, entrancePort }) =>
    entrancePort === undefined
      ? []
      : [{ name: service.toUpperCase().replace('-', '_'), port: entrancePort, advertisedPort: port }],
  );
}

/** All ports of the doors, including their control API and the broker's listeners. */
export function doorPorts(profile: Profile, doors: readonly DoorPlan[]): Port[] {
  const ports = [
    doorControlPort(profile),
    ...doors.flatMap(({ port, entrancePort }) => [port, entrancePort]),
  ];
  return ports.flatMap((port) => (port === undefined ? [] : [{ variable: 'TEST_PORT_OFFSET', port }]));
}

const address = /127\.0\.0\.1:(\d+)/;

/** The port that a door leads to. */
export function targetOf(door: DoorPlan, plans: readonly ServicePlan[]): number {
  const way = plans.find(({ name }) => name === door.service)?.env[door.variable];
  return door.entrancePort ?? Number(address.exec(way ?? '')?.[1]);
}

/** The plans of the same services, with addresses that lead through the doors. */
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
