import { createRest, type Message } from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket, type ReceivedFrame } from '../../../clients/sdk/socket.ts';
import { pause } from '../pause.ts';
import type { Data, Person } from '../people/people.ts';
import type { Findings } from './records/findings.ts';
import { createHeldMessages, type HeldMessages } from './records/held-messages.ts';
import type { Ledger, Sent } from './records/ledger.ts';
import { createSocketLog, noteArrival, noteFrame, ownMark, type SocketLog } from './records/socket-log.ts';

export type Device = {
  name: string;
  person: Person;
  store: HeldMessages;
  /** All its sockets, in order of their opening. */
  sockets: SocketLog[];
  /** The highest seq id that it has marked as read, by conversation. */
  readMarks: Map<string, number>;
  /** Conversations from which its user was removed. */
  left: ReadonlySet<string>;
  /** The number of messages without an acknowledgement. */
  inFlight(): number;
  /** Sends the message until it is acknowledged, over as many sockets as needed, always with the same clientMsgId. */
  submit(message: Sent): Promise<void>;
  /** Marks all messages that it has of a conversation as read. */
  markRead(conversationId: string): void;
  /** Drops its socket, as after a loss of the network, and reconnects. */
  drop(): void;
  /** Drops its socket; resolves when another one is open and the sync of the missed messages is complete. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
};

type Live = {
  socket: ChatSocket;
  log: SocketLog;
  rest: ReturnType<typeof createRest>;
  gone: AbortController;
};
type Outcome = 'acknowledged' | 'try again' | 'refused';

const ackDeadlineMs = 6000;
const pingEveryMs = 4000;
/** A gateway answers each ping; a socket without a frame for this long is closed. */
const maxSilenceMs = 12_000;
const syncPage = 200;

let sockets = 0;

/**
 * A client that never gives up: it reconnects to the other gateway, retries with the same clientMsgId and syncs after
 * each welcome. It records all frames of each socket.
 */
export async function createDevice(options: {
  name: string;
  person: Person;
  /** The addresses of the gateways, the preferred one first. */
  urls: readonly string[];
  /** By conversation, the seq id after which it must have all messages. */
  startAt: ReadonlyMap<string, number>;
  ledger: Ledger;
  findings: Findings;
}): Promise<Device> {
  const { name, person, urls, ledger, findings } = options;
  const store = createHeldMessages();
  const logs: SocketLog[] = [];
  const readMarks = new Map<string, number>();
  const left = new Set<string>();
  const waiting = new Map<string, (outcome: Outcome) => void>();
  for (const [conversationId, seqId] of options.startAt) store.startAt(conversationId, seqId);

  let live: Live | undefined;
  const wake: (() => void)[] = [];
  let heardAt = Date.now();
  let over = false;
  let synced = 0;

  function onFrame(log: SocketLog, { type, data }: ReceivedFrame): void {
    // Frames that arrive over a dropped socket are ignored.
    if (log.closedAt !== undefined) return;
    heardAt = Date.now();
    // The user's own read marks reach all sessions that are open by then, such as the one after a reconnect.
    noteFrame(log, type === 'message-read' && data.userId === person.id ? ownMark : type);
    if (type === 'new-message') onMessage(data, log);
    if (type === 'message-ack') onAck(log, data);
    if (type === 'error') onError(data);
    if (type === 'member-removed') onRemoval(log, data);
  }

  function onMessage(message: Message, log?: SocketLog): void {
    const { conversationId, seqId } = message;
    const how = log ? `over socket ${log.number}` : 'by sync';
    const what = `${name} was given ${conversationId}/${seqId} (${message.clientMsgId}) ${how}`;
    if (log) noteArrival(log, conversationId, seqId);
    // Duplicates may follow member-removed after a failure, new messages may not.
    if (log?.removedFrom.has(conversationId) && !store.of(conversationId).has(seqId)) {
      findings.add('whoever is removed gets nothing new after its member-removed', what);
    }
    const sent = ledger.find(message.clientMsgId);
    if (!sent) findings.add('every message was sent by somebody', what);
    else if (
      sent.content !== message.content ||
      sent.senderId !== message.sender.id ||
      sent.conversationId !== conversationId
    ) {
      findings.add('a message comes as it was sent', `${what}: ${JSON.stringify(message)}`);
    }
    keep(conversationId, seqId, { messageId: message.id, clientMsgId: message.clientMsgId }, what);
  }

  function keep(
    conversationId: string,
    seqId: number,
    held: { messageId: number; clientMsgId: string },
    what: string,
  ) {
    if (!store.conversationIds().includes(conversationId)) {
      findings.add('whoever is not a member gets nothing', what);
    } else if (!store.keep(conversationId, seqId, held)) {
      findings.add(
        'a seq id names one message',
        `${what}, and before ${JSON.stringify(store.of(conversationId).get(seqId))}`,
      );
    }
  }

  function onAck(log: SocketLog, { clientMsgId, conversationId, messageId, seqId, duplicate }: Data): void {
    const sent = ledger.find(clientMsgId);
    if (!sent || sent.device !== name) {
      findings.add('only the sender gets an acknowledgement', `${name}: ${clientMsgId}`);
      return;
    }
    sent.acks.push({ seqId, messageId, duplicate, socket: log.number, at: Date.now() });
    keep(
      conversationId,
      seqId,
      { messageId, clientMsgId },
      `${name} was told that ${clientMsgId} is ${seqId}`,
    );
    waiting.get(clientMsgId)?.('acknowledged');
  }

  function onError(data: Data): void {
    const outcome = waiting.get(data?.clientMsgId);
    if (data?.retryable === true) outcome?.('try again');
    else {
      findings.add('nobody is refused for good', `${name}: ${JSON.stringify(data)}`);
      outcome?.('refused');
    }
  }

  function onRemoval(log: SocketLog, { conversationId, userIds }: Data): void {
    if (!userIds.includes(person.id)) return;
    log.removedFrom.add(conversationId);
    left.add(conversationId);
  }

  async function stayConnected(): Promise<void> {
    for (let turn = 0; !over; turn += 1) {
      const url = urls[turn % urls.length] as string;
      sockets += 1;
      const log = createSocketLog({ number: sockets, device: name, userId: person.id, gateway: url });
      let socket: ChatSocket;
      try {
        // Frames may arrive before this await returns.
        socket = await openSocket(url, person.accessToken, (frame) => onFrame(log, frame));
      } catch {
        await pause(200);
        continue;
      }
      logs.push(log);
      heardAt = Date.now();
      const gone = new AbortController();
      live = { socket, log, rest: createRest(url, person.accessToken), gone };
      for (const resolve of wake.splice(0)) resolve();
      void catchUp(live);
      const lost = new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()));
      await Promise.race([socket.closed, lost]);
      log.closedAt = Date.now();
      live = undefined;
      gone.abort();
      for (const outcome of waiting.values()) outcome('try again');
    }
  }

  async function connected(): Promise<Live | undefined> {
    while (!live && !over) await new Promise<void>((resolve) => wake.push(resolve));
    return live;
  }

  /** Syncs all missed messages, unless the socket closes meanwhile. */
  async function catchUp({ log, rest }: Live): Promise<void> {
    for (let more = true; more && log.closedAt === undefined; ) {
      const cursors = Object.fromEntries(conversationIds().map((id) => [id, store.edge(id)]));
      try {
        const answer = await rest.post<Data>('/sync', { cursors, limitPerConversation: syncPage });
        if (log.closedAt !== undefined) return;
        for (const { messages } of answer.conversations) for (const message of messages) onMessage(message);
        for (const conversationId of answer.removed) left.add(conversationId);
        more = answer.hasMore;
      } catch {
        await pause(300);
      }
    }
    if (log.closedAt !== undefined) return;
    for (const id of conversationIds()) log.syncedTo.set(id, store.edge(id));
    synced = log.number;
  }

  const heartbeat = setInterval(() => {
    if (!live) return;
    if (Date.now() - heardAt > maxSilenceMs) drop();
    else live.socket.send('ping');
  }, pingEveryMs);

  function drop(): void {
    if (!live) return;
    live.log.closedAt = Date.now();
    // No await: a suspended gateway would never answer the close frame.
    void live.socket.close();
    live.gone.abort();
  }

  function outcomeOf(clientMsgId: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve('try again'), ackDeadlineMs);
      waiting.set(clientMsgId, (outcome) => {
        clearTimeout(deadline);
        resolve(outcome);
      });
    });
  }

  const conversationIds = () => store.conversationIds().filter((id) => !left.has(id));

  const running = stayConnected();
  await connected();
  return {
    name,
    person,
    store,
    sockets: logs,
    readMarks,
    left,
    inFlight: () => waiting.size,

    async submit(message) {
      for (;;) {
        const now = live ?? (await connected());
        if (!now) return;
        message.attempts.push({ socket: now.log.number, at: Date.now() });
        const { conversationId, clientMsgId, content } = message;
        const answered = outcomeOf(clientMsgId);
        now.socket.send('send-message', { conversationId, clientMsgId, content });
        const outcome = await answered;
        if (message.acks.length > 0 || outcome === 'refused') break;
        await pause(200);
      }
      waiting.delete(message.clientMsgId);
    },

    markRead(conversationId) {
      const seqId = store.edge(conversationId);
      if (!live || seqId === 0) return;
      readMarks.set(conversationId, Math.max(seqId, readMarks.get(conversationId) ?? 0));
      live.socket.send('mark-read', { conversationId, seqId });
    },

    drop,

    async comeBack() {
      const before = sockets;
      drop();
      while (synced <= before) await pause(20);
    },

    async close() {
      over = true;
      clearInterval(heartbeat);
      drop();
      for (const resolve of wake) resolve();
      await running;
    },
  };
}
