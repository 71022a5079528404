import { openSocket, type Socket } from '../../clients/sdk/src/transport/socket.ts';
import { friendRequestAction } from '../../lib/domain/enumerations.ts';
import type { Account } from '../fixtures/cache.ts';
import type { Laboratory, Scenario } from '../laboratory/laboratory.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram, type HistogramData } from '../measure/histogram.ts';
import type { Step } from '../report/result.ts';
import { latencyFigures } from '../steps/steps.ts';

export type FriendLatencies = { request: HistogramData; conversation: HistogramData };

/** The number of accounts from which strangers are taken. */
const people = 100;
const frameDeadlineMs = 10_000;

/** One caller: a friend request, its acceptance, and the conversation that both users get. */
export const friendRequest: Scenario = {
  name: 'friend-request',
  title: 'Friend request → answer, accept → conversation for both',
  async run(laboratory, report) {
    const measured = await laboratory.measure(() => befriendStrangers(laboratory, laboratory.options.flows));
    report.step(friendStep('one caller', measured.value, measured));
  },
};

export function friendStep(
  label: string,
  { request, conversation }: FriendLatencies,
  { usage, stages }: Pick<Step, 'usage' | 'stages'>,
): Step {
  const latencies = [
    { name: 'request', data: request },
    { name: 'conversation for both', data: conversation },
  ];
  return {
    label,
    figures: latencies.flatMap(({ name, data }) => latencyFigures(name, data)),
    latencies,
    usage,
    stages,
    notes: [],
  };
}

/** Makes pairs of strangers friends, one pair after the other, and ends each friendship again. */
export async function befriendStrangers(laboratory: Laboratory, times: number): Promise<FriendLatencies> {
  const request = createHistogram();
  const conversation = createHistogram();
  const inboxes = await openInboxes(laboratory);
  const { rest } = laboratory;
  try {
    for (let turn = 0; turn < times; turn += 1) {
      const [ann, bob] = await laboratory.conversations.strangers();
      const askedAt = monotonicMicros();
      const asked = await rest.call<{ request: { id: string } }>(
        'POST',
        '/friends/requests',
        ann.accessToken,
        {
          targetUserId: bob.userId,
        },
      );
      request.record(monotonicMicros() - askedAt);

      const both = Promise.all([inboxes.nextConversation(ann), inboxes.nextConversation(bob)]);
      const acceptedAt = monotonicMicros();
      await rest.call('PUT', `/friends/requests/${asked.request.id}`, bob.accessToken, {
        action: friendRequestAction.accept,
      });
      const arrivals = await both;
      conversation.record(Math.max(...arrivals) - acceptedAt);
      await rest.call('DELETE', `/friends/${bob.userId}`, ann.accessToken);
    }
  } finally {
    inboxes.close();
    laboratory.accounts.save();
  }
  return { request: request.data(), conversation: conversation.data() };
}

/** Opens a socket for each possible stranger, which reports the arrival of a conversation. */
async function openInboxes(laboratory: Laboratory) {
  const accounts = await laboratory.accounts.take(people);
  const waiting = new Map<string, (at: number) => void>();
  const sockets: Socket[] = [];
  for (const [index, { userId, accessToken }] of accounts.entries()) {
    const socket = openSocket({
      url: laboratory.gatewayOf(index),
      token: accessToken,
      WebSocket,
      onFrame({ type }) {
        if (type === 'conversation-created') waiting.get(userId)?.(monotonicMicros());
      },
      signal: new AbortController().signal,
    });
    sockets.push(await socket);
  }
  return {
    nextConversation({ userId, username }: Account): Promise<number> {
      return new Promise((resolve, reject) => {
        const deadline = setTimeout(
          () => reject(new Error(`${username} got no conversation-created in ${frameDeadlineMs / 1000} s`)),
          frameDeadlineMs,
        );
        waiting.set(userId, (at) => {
          clearTimeout(deadline);
          waiting.delete(userId);
          resolve(at);
        });
      });
    },
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}
