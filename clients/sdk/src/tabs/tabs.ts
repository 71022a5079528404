import type { Connection } from '../engine/connection.ts';
import type { Leader } from '../engine/leader.ts';
import type { Seat, SeatDeps } from '../engine/seat.ts';
import type { Input } from '../model/input.ts';
import type { GoChatError } from '../transport/errors.ts';
import { newId } from '../transport/ids.ts';
import type { Command, Leading, Snapshot, TabError, TabMessage } from './messages.ts';
import { replaceState } from './replace-state.ts';

const beatEveryMs = 700;
/** A leader that is silent for so long is frozen: another tab takes its place. */
const frozenMs = 2_000;
const lookEveryMs = 250;

/** Inputs that concern only what one tab shows. */
const isLocal = ({ type }: Input): boolean => type === 'older' || type === 'trimmed';

interface Pending {
  command: Command;
  resolve(answer: string | undefined): void;
  reject(error: GoChatError): void;
}

/**
 * The seat of one tab of several. The tab that holds the Web Lock leads: it has the socket and writes storage. It tells
 * the others every input that it applies to its model, and they apply the same ones to theirs.
 */
export function createTabs(name: string, deps: SeatDeps): Seat {
  const { state, apply } = deps;
  const myId = newId();
  const lock = `gochat ${name}`;
  let channel: BroadcastChannel | undefined;
  let leader: Leader | undefined;
  let release: (() => void) | undefined;
  let connection: Connection = { state: 'connecting' };
  /** The leading tab, and how much of what it told was applied here. `at` is undefined until its snapshot came. */
  let led: { by: string; at: number | undefined } | undefined;
  /** The highest term of a leader that was heard of. */
  let term = 0;
  let told = 0;
  let heardAt = 0;
  let isActive = false;
  let hasSnapshot = false;
  let lastId = 0;
  let timers: ReturnType<typeof setInterval>[] = [];
  const pending = new Map<number, Pending>();
  const ledApi = deps.apiWith(token);
  let stopping: Promise<void> | undefined;

  const post = (message: TabMessage) => channel?.postMessage(message);
  const hello = () => post({ type: 'hello', from: myId });
  const leading = (): Leading => ({ leader: myId, term, at: told });

  function start(): void {
    if (isActive) return;
    isActive = true;
    heardAt = Date.now();
    channel = new BroadcastChannel(lock);
    channel.onmessage = ({ data }) => hear(data as TabMessage);
    timers = [setInterval(beat, beatEveryMs), setInterval(look, lookEveryMs)];
    hello();
    claim({});
  }

  /** Waits for the lock; `steal` takes it from a tab that does not answer. */
  function claim(options: LockOptions): void {
    const waiting = new AbortController();
    release = () => waiting.abort();
    const how = options.steal ? options : { ...options, signal: waiting.signal };
    navigator.locks
      .request(lock, how, () => (isActive ? lead() : undefined))
      .then(() => {
        if (isActive && !leader) setTimeout(() => isActive && claim({}), beatEveryMs);
      })
      .catch(() => {
        if (waiting.signal.aborted) return;
        // Another tab took the lock, because this one was frozen.
        if (leader) resign();
        if (isActive) claim({});
      });
  }

  /** Leads as long as the returned promise is pending. */
  function lead(): Promise<void> {
    return new Promise((resolve) => {
      release = resolve;
      deps
        .lead({ apply: applyAndTell, onConnection: setConnection, onWiped, keepState: hasSnapshot })
        .then((one) => {
          if (!isActive) return resolve();
          leader = one;
          led = undefined;
          term += 1;
          hasSnapshot = true;
          tellSnapshot(undefined);
          one.start();
          for (const [id, { command }] of pending) run(command).then(...settlers(id));
        })
        .catch(resolve);
    });
  }

  function resign(): void {
    leader?.stop().catch(() => {});
    leader = undefined;
    led = undefined;
    heardAt = Date.now();
    release?.();
    hello();
  }

  function applyAndTell(input: Input) {
    const outcome = apply(input);
    if (isLocal(input)) return outcome;
    told += 1;
    post({ type: 'input', ...leading(), input });
    return outcome;
  }

  function setConnection(next: Connection): void {
    connection = next;
    if (leader) post({ type: 'connection', ...leading(), connection });
    if (next.state === 'ended') quit();
    deps.onConnection(next);
  }

  function onWiped(): void {
    deps.onReset();
    tellSnapshot(undefined);
  }

  function tellSnapshot(to: string | undefined): void {
    if (!leader) return;
    const snapshot: Snapshot = { state, connection, devices: deps.devices() };
    post({ type: 'snapshot', ...leading(), to, snapshot });
  }

  function beat(): void {
    if (leader) post({ type: 'beat', ...leading() });
  }

  function look(): void {
    if (leader || Date.now() - heardAt < frozenMs) return;
    heardAt = Date.now();
    release?.();
    claim({ steal: true });
  }

  function hear(message: TabMessage): void {
    switch (message.type) {
      case 'hello':
        tellSnapshot(message.from);
        return;
      case 'command':
        if (message.to === myId && leader) answer(message);
        return;
      case 'done':
        if (message.to === myId) settle(message.id, message.answer, message.error);
        return;
      default:
        if (message.term < term) return;
        if (leader) resign();
        term = message.term;
        follow(message);
    }
  }

  /** Takes over what the leading tab tells. */
  function follow(message: Exclude<TabMessage, { type: 'hello' | 'command' | 'done' }>): void {
    heardAt = Date.now();
    if (led?.by !== message.leader) {
      led = { by: message.leader, at: undefined };
      for (const [id, { command }] of pending) ask(id, command);
      if (message.type !== 'snapshot') hello();
    }
    if (message.type === 'snapshot') {
      if (message.to === undefined || message.to === myId) adopt(message.snapshot, message.at);
      return;
    }
    if (led.at === undefined) return;
    const expected = message.type === 'input' ? led.at + 1 : led.at;
    if (message.at < expected) return;
    if (message.at > expected) {
      led.at = undefined;
      hello();
      return;
    }
    led.at = message.at;
    if (message.type === 'input') apply(message.input);
    if (message.type === 'connection') setConnection(message.connection);
  }

  function adopt(snapshot: Snapshot, at: number): void {
    if (!led) return;
    led.at = at;
    const waiting = [...pending.values()].flatMap(({ command }) =>
      command.do === 'dispatch' && command.input.type === 'queued'
        ? [command.input.outgoing.clientMsgId]
        : [],
    );
    deps.onDevices(snapshot.devices);
    deps.change(replaceState(state, snapshot.state, waiting));
    hasSnapshot = true;
    deps.onReset();
    if (snapshot.connection.state !== connection.state) setConnection(snapshot.connection);
  }

  /** Has the leading tab do something. Whoever leads next is asked again, until one has done it. */
  function command(wanted: Command): Promise<string | undefined> {
    if (leader) return run(wanted);
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      pending.set(id, { command: wanted, resolve, reject });
      ask(id, wanted);
    });
  }

  function ask(id: number, wanted: Command): void {
    if (led) post({ type: 'command', to: led.by, from: myId, id, command: wanted });
  }

  async function run(wanted: Command): Promise<string | undefined> {
    if (!leader) throw deps.asError(new Error('This tab does not lead.'));
    switch (wanted.do) {
      case 'dispatch':
        await leader.dispatch(wanted.input);
        return;
      case 'token':
        return leader.token(wanted.refused);
      case 'typing':
        leader.typing(wanted.conversationId);
        return;
      case 'wake':
        leader.wake();
        return;
      case 'sign-out':
        await leader.signOut(wanted.wipe);
    }
  }

  function answer({ from: to, id, command: wanted }: Extract<TabMessage, { type: 'command' }>): void {
    run(wanted).then(
      (text) => post({ type: 'done', to, id, ...(text === undefined ? {} : { answer: text }) }),
      (error) => {
        const { code, message, retryable, retryAfterMs } = deps.asError(error);
        post({ type: 'done', to, id, error: { code, message, retryable, retryAfterMs } });
      },
    );
  }

  function settle(id: number, text: string | undefined, error?: TabError): void {
    const one = pending.get(id);
    pending.delete(id);
    if (error) one?.reject(deps.asError(error));
    else one?.resolve(text);
  }

  const settlers = (id: number) =>
    [
      (text: string | undefined) => settle(id, text),
      (error: unknown) => settle(id, undefined, deps.asError(error)),
    ] as const;

  /** Takes no more part. */
  function quit(): void {
    isActive = false;
    for (const timer of timers) clearInterval(timer);
    const gone = leader;
    const letGo = release;
    const last = channel;
    leader = undefined;
    channel = undefined;
    led = undefined;
    stopping = Promise.resolve(gone?.stop()).finally(() => {
      letGo?.();
      last?.close();
    });
  }

  return {
    api: (name, ...request) => (leader?.api ?? ledApi)(name, ...request),
    async dispatch(input) {
      if (leader) return leader.dispatch(input);
      // Shown at once; the leading tab tells it, too, which changes nothing more.
      apply(input);
      if (!isLocal(input)) await command({ do: 'dispatch', input });
    },
    typing: (conversationId) => void command({ do: 'typing', conversationId }).catch(() => {}),
    async start() {
      await stopping;
      start();
    },
    async stop() {
      if (isActive) quit();
      await stopping;
    },
    wake() {
      look();
      if (led || leader) command({ do: 'wake' }).catch(() => {});
    },
    signOut: async (wipe) => void (await command({ do: 'sign-out', wipe })),
  };

  async function token(refused?: string): Promise<string> {
    return (await command({ do: 'token', ...(refused === undefined ? {} : { refused }) })) ?? '';
  }
}
