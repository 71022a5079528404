import { type ClientOptions, createClient } from '../src/client.ts';
import type { Connection } from '../src/engine/connection.ts';
import type { GoChatError } from '../src/transport/errors.ts';
import { createPretendNetwork, type PretendNetwork } from './pretend-network.ts';

/** A client of a network of the test's own, and what it told. */
export function start(network: PretendNetwork, options: Partial<ClientOptions> = {}) {
  const client = createClient({
    url: 'http://chat.test',
    credentials: { username: 'me', password: 'secret' },
    fetch: network.fetch,
    webSocket: network.webSocket,
    random: () => 0,
    ...options,
  });
  const told: number[] = [];
  const errors: GoChatError[] = [];
  const states: Connection['state'][] = [];
  client.on('message', ({ seqId }) => told.push(seqId));
  client.on('error', (error) => errors.push(error));
  client.on('connection', ({ state }) => states.push(state));
  return { client, told, errors, states };
}

/** A network with a conversation, and a client that is online in it. */
export async function scene(options: Partial<ClientOptions> = {}) {
  const network = createPretendNetwork();
  network.server.create();
  const one = start(network, options);
  await one.client.connect();
  return { network, ...one, room: one.client.conversation('1') };
}

export const seqIds = (messages: readonly { seqId: number }[]) => messages.map(({ seqId }) => seqId);
