import type { Input, Outcome, ServerFrame, State } from '../model/input.ts';
import type { Persister } from '../storage/persister.ts';
import { type Api, type Call, withToken } from '../transport/api.ts';
import { GoChatError } from '../transport/errors.ts';
import { openSocket, type Socket, type WebSocketLike } from '../transport/socket.ts';
import { SessionEnded, type Tokens } from '../transport/tokens.ts';
import { catchUp } from './catch-up.ts';
import { type Connection, createConnectionLoop } from './connection.ts';
import type { Core } from './core.ts';
import { createFrames } from './frames.ts';
import { createOutbox } from './outbox.ts';
import { createReads } from './reads.ts';

export interface Engine {
  readonly api: Api;
  /** Applies what the user did. A send is stored on this device when it resolves. */
  dispatch(input: Input): Promise<void>;
  typing(conversationId: string): void;
  start(): void;
  stop(): Promise<void>;
  /** Ends the session: nothing is tried again before the next `start`. */
  end(reason: string): void;
  /** An access token; another one than `refused`, if that was refused. */
  token(refused?: string): Promise<string>;
  wake(): void;
}

export interface EngineDeps {
  url: string;
  state: State;
  call: Call;
  tokens: Tokens;
  persister: Persister;
  WebSocket: WebSocketLike;
  random(): number;
  /** Applies an input to the model and tells what it changed. */
  apply(input: Input): Outcome;
  onConnection(connection: Connection): void;
  onError(error: GoChatError): void;
  /** Another user has signed in than the one whose data is here. */
  onOtherUser(): Promise<void>;
}

/** Keeps the model in step with the server. */
export function createEngine(deps: EngineDeps): Engine {
  const { state, tokens, persister, call, onError } = deps;
  let socket: Socket | undefined;
  let isOnline = false;

  async function token(refused?: string): Promise<string> {
    if (refused !== undefined) tokens.refuse(refused);
    try {
      return await tokens.get();
    } catch (error) {
      if (error instanceof SessionEnded) loop.end(error.code);
      throw error;
    }
  }

  const api = withToken(call, token, tokens.accepted);

  function apply(input: Input): Outcome {
    const outcome = deps.apply(input);
    persister.changed(outcome.changed);
    if (outcome.stored.length > 0 || outcome.changed.size > 0) queueMicrotask(afterChange);
    return outcome;
  }

  /** An acknowledgement lets the next message of its conversation go. */
  function afterChange(): void {
    if (isOnline && state.outbox.some(({ status }) => status === 'queued')) outbox.again();
  }

  const core: Core = { state, api, apply, report: onError, random: deps.random };
  const frames = createFrames({ core, onOther, onOverflow: () => socket?.close() });
  const outbox = createOutbox(core);
  const reads = createReads(core, (conversationId) => {
    frames.check(apply({ type: 'doubted', conversationId }));
  });

  function onOther(frame: ServerFrame): void {
    if (frame.type !== 'error' || outbox.refused(frame.data)) return;
    const { code, message, retryable } = frame.data;
    onError(new GoChatError(code, message, retryable));
  }

  const loop = createConnectionLoop({
    random: deps.random,
    async open(signal) {
      const accessToken = await tokens.get();
      const user = tokens.held()?.session.user;
      if (user && state.me && state.me.id !== user.id) await deps.onOtherUser();
      if (user) apply({ type: 'signed-in', user });
      return openSocket({ ...deps, token: accessToken, signal, onFrame: frames.take }).catch(
        async (error) => {
          // A browser does not tell why the server refused a socket, so the client asks in another way.
          if (!signal.aborted) await api('GET /users/profile');
          throw error;
        },
      );
    },
    async catchUp(opened, signal) {
      tokens.accepted();
      socket = opened;
      await frames.during(() => catchUp(core, signal));
      if (signal.aborted) return;
      isOnline = true;
      frames.start();
      outbox.pump(opened);
      reads.tell(true);
    },
    onClosed() {
      socket = undefined;
      isOnline = false;
      frames.reset();
      outbox.pump(undefined);
      reads.tell(false);
    },
    onState: deps.onConnection,
  });

  async function dispatch(input: Input): Promise<void> {
    const isSend = input.type === 'queued' || input.type === 'send' || input.type === 'discarded';
    const store = async () => {
      frames.check(apply(input));
      // What is typed and read is stored soon, not at every key.
      if (isSend) await persister.flush();
    };
    if (input.type === 'queued') return outbox.after(input.outgoing.clientMsgId, store);
    await store();
    if (isSend) outbox.again();
    if (input.type === 'read') reads.tell(isOnline);
  }

  return {
    api,
    dispatch,
    typing(conversationId) {
      if (isOnline) socket?.send('typing', { conversationId });
    },
    start: loop.start,
    stop: loop.stop,
    end: loop.end,
    wake: loop.wake,
    token,
  };
}
