// Room: the load: separate processes that hold sockets, send and read. They report measurements; no code that
// evaluates them may come in.

import type { AnswerMessage, CommandMessage, LoadCommands } from './commands.ts';
import { loadRest } from './rest-load.ts';
import { createSessions } from './sessions.ts';
import { createStorm } from './storm.ts';
import { createTraffic } from './traffic.ts';

/** A load process: executes the coordinator's commands from the IPC channel, and exits when the channel closes. */
const runId = process.argv[2] ?? 'run';
const traffic = createTraffic(runId);
const sessions = createSessions(traffic.onFrame);
const storm = createStorm(sessions);

const commands: LoadCommands = {
  connect: ({ sessions: specs, parallel }) => sessions.openAll(specs, parallel),
  disconnect: ({ keys, abruptly }) => sessions.close(keys, abruptly),
  send: (plan) => traffic.send(sessions, plan),
  watchArrivals: async ({ conversationIds }) => traffic.watchArrivals(conversationIds),
  collect: async ({ phase }) => traffic.collect(phase),
  heads: async () => traffic.heads(),
  settle: ({ heads, deadlineMs }) => traffic.settle(sessions, heads, deadlineMs),
  async setReading({ keys, reading }) {
    for (const key of keys) {
      const session = sessions.get(key);
      if (!session) continue;
      session.hangs = !reading;
      if (reading) session.socket.resume();
      else session.socket.pause();
    }
  },
  closes: async () => sessions.closes(),
  rest: loadRest,
  drop: () => storm.drop(),
  reconnect: (input) => storm.reconnect(input),
};

process.on('message', async ({ id, name, input }: CommandMessage) => {
  const command = commands[name] as (input: unknown) => Promise<unknown>;
  const answer: AnswerMessage = await command(input).then(
    (value) => ({ id, value }),
    (error: Error) => ({ id, error: error.stack ?? error.message }),
  );
  process.send?.(answer);
});
process.on('disconnect', () => process.exit());
