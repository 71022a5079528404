// Room: doors, which are TCP proxies between services and their servers. Tests close a door to cut a connection;
// nothing else uses them.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { BrokerEntrance, Port, Profile, ServicePlan } from '../../topology/topology.ts';
import { type Door, type DoorState, openDoor } from './door.ts';
import { brokerEntrances, doorControlPort, doorPlans, doorPorts, targetOf, throughDoors } from './plan.ts';

/** The doors between the processes of a system under test and the servers and peers that they connect to. */
export interface Doors {
  ports: Port[];
  /** The additional listeners that the Kafka broker needs for its doors. */
  brokerEntrances: BrokerEntrance[];
  /** The control API: `PUT /NAME` with a DoorState as JSON sets a door; `GET /` returns the names. */
  controlUrl: string;
  /** The plans of the same services, with addresses that lead through the doors. */
  reroute(plans: ServicePlan[]): ServicePlan[];
  /** Starts the doors of the rerouted services that are not started yet. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export function createDoors(profile: Profile, options: { toKafka: boolean }): Doors {
  const plans = doorPlans(profile, options);
  const targets = new Map<string, number>();
  const open = new Map<string, Door>();
  const control = createServer();
  const controlPort = doorControlPort(profile);

  return {
    ports: doorPorts(profile, plans),
    brokerEntrances: brokerEntrances(plans),
    controlUrl: `http://127.0.0.1:${controlPort}/`,

    reroute(services) {
      for (const plan of plans) {
        if (services.some(({ name }) => name === plan.service))
          targets.set(plan.name, targetOf(plan, services));
      }
      return throughDoors(services, plans);
    },

    async open() {
      for (const { name, port } of plans) {
        const target = targets.get(name);
        if (target !== undefined && !open.has(name)) open.set(name, await openDoor({ port, target }));
      }
      if (!control.listening) await listen(control, controlPort, open);
    },

    async close() {
      control.closeAllConnections();
      control.close();
      await Promise.all([...open.values()].map((door) => door.close()));
    },
  };
}

function listen(control: Server, port: number, doors: ReadonlyMap<string, Door>): Promise<void> {
  control.on('request', async (request: IncomingMessage, response) => {
    if (request.method === 'GET') {
      response.end(JSON.stringify([...doors.keys()]));
      return;
    }
    const door = doors.get(String(request.url).slice(1));
    if (!door) {
      response.writeHead(404).end();
      return;
    }
    door.set((await bodyOf(request)) as DoorState);
    response.writeHead(204).end();
  });
  return new Promise((resolve, reject) => {
    control.once('error', reject);
    control.listen(port, '127.0.0.1', resolve);
  });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}
