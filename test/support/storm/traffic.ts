import type { Random } from '../../../bench/measure/random.ts';
import type { Device } from './device.ts';
import type { Kind, Participants, StormConversation } from './participants.ts';
import type { Ledger } from './records/ledger.ts';

export type Traffic = {
  /** Stops sending; resolves to true when all messages are acknowledged, or to false after `withinMs`. */
  stop(withinMs: number): Promise<boolean>;
};

/** The percentage of messages by kind of conversation. */
const shares: readonly [Kind, number][] = [
  ['pair', 50],
  ['group', 25],
  ['large', 15],
  ['world', 10],
];
/** A device with this many unacknowledged messages sends no further ones. */
const maxInFlight = 8;
const tickMs = 20;
/** After one of this many messages, a device of the conversation marks it as read. */
const readEvery = 5;

/** Sends messages at a steady rate (an open loop) from randomly chosen devices. */
export function startTraffic(options: {
  participants: Participants;
  devices: readonly Device[];
  ledger: Ledger;
  random: Random;
  perSecond: number;
}): Traffic {
  const { participants, ledger, random } = options;
  const startedAt = Date.now();
  const running = new Set<Promise<void>>();
  const byKind = Map.groupBy(participants.conversations, ({ kind }) => kind);
  let due = 0;

  const present = ({ id, members }: StormConversation): Device[] =>
    options.devices.filter(
      ({ person }) =>
        members.includes(person) && !(id === participants.leaves && person === participants.leaver),
    );
  const devices = new Map(
    participants.conversations.map((conversation) => [conversation.id, present(conversation)]),
  );

  function say(): void {
    const conversation = random.pick(byKind.get(kindOf(random.between(0, 99))) ?? []);
    const device = random.pick(devices.get(conversation.id) ?? []);
    const reader = random.pick(devices.get(conversation.id) ?? []);
    if (random.between(1, readEvery) === 1) reader.markRead(conversation.id);
    if (device.person === participants.bystander || device.inFlight() >= maxInFlight) return;
    const message = ledger.enter({
      conversationId: conversation.id,
      senderId: device.person.id,
      device: device.name,
    });
    const sent = device.submit(message).finally(() => running.delete(sent));
    running.add(sent);
  }

  const timer = setInterval(() => {
    for (const until = ((Date.now() - startedAt) / 1000) * options.perSecond; due < until; due += 1) say();
  }, tickMs);

  return {
    async stop(withinMs) {
      clearInterval(timer);
      const all = Promise.all(running).then(() => true);
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), withinMs).unref());
      return Promise.race([all, late]);
    },
  };
}

function kindOf(percent: number): Kind {
  let sum = 0;
  for (const [kind, share] of shares) {
    sum += share;
    if (percent < sum) return kind;
  }
  return 'world';
}
