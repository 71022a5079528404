import type { ServerFrame } from '../src/model/input.ts';
import { createPretendServer, me } from './pretend-server.ts';

type Listener = (event: unknown) => void;
type Refusal = { status: number; code: string; headers?: Record<string, string> };

/**
 * A network to a pretended server: what `fetch` and `WebSocket` of a client see. Tests take it down, let answers get lost,
 * and refuse calls.
 */
export function createPretendNetwork() {
  const server = createPretendServer();
  const calls: string[] = [];
  const sentFrames: { type: string; data?: Record<string, unknown> }[] = [];
  const tokens = { generation: 1, valid: true, refreshable: true };
  let isUp = true;
  let loseAnswers = false;
  let loseAcks = false;
  let refuse: (call: string) => Refusal | undefined = () => undefined;
  let refuseFrame: (clientMsgId: string) => { code: string; retryable: boolean } | undefined = () =>
    undefined;
  let socket: { deliver(frame: ServerFrame): void; close(code: number): void } | undefined;
  let sockets = 0;

  const session = () => ({
    user: me,
    accessToken: `access-${tokens.generation}`,
    refreshToken: `refresh-${tokens.generation}`,
    expiresIn: 900,
    sessionId: 's',
  });
  const isGood = (token: string | undefined) => tokens.valid && token === `access-${tokens.generation}`;
  const unauthenticated: Refusal = { status: 401, code: 'UNAUTHENTICATED' };

  function newSession() {
    tokens.generation += 1;
    tokens.valid = true;
    return session();
  }

  /** Takes a file as the real server does. */
  function keep(body: FormData): unknown {
    const file = body.get('file') as globalThis.File;
    const { name, size, type: mime } = file;
    return { id: 'f1', url: '/files/f1?s=1', name, size, mime };
  }

  function answer(call: string, url: URL, body: Record<string, never>): unknown {
    const [, id = ''] = /^\w+ \/conversations\/(\w+)/.exec(call) ?? [];
    if (call === 'POST /auth/login') return newSession();
    if (call === 'POST /auth/guest' || call === 'POST /auth/exchange') return newSession();
    if (call === 'POST /auth/refresh') return tokens.refreshable ? newSession() : unauthenticated;
    if (call === 'POST /sync') return server.sync(body.cursors ?? {}, body.since, body.changes);
    if (call === 'GET /conversations') return { conversations: server.shown(), hasMore: false };
    if (call.endsWith('/read')) {
      server.readHere(id, body.seqId ?? 0);
      const shown = server.conversation(id);
      return { lastReadSeqId: shown?.lastReadSeqId, unreadCount: shown?.unreadCount };
    }
    if (call.endsWith('/messages')) {
      const before = Number(url.searchParams.get('beforeSeq') ?? Number.POSITIVE_INFINITY);
      const all = server.messagesOf(id).filter(({ seqId }) => seqId < before);
      return { messages: all.slice(-Number(url.searchParams.get('limit') ?? 50)), hasMore: false };
    }
    if (id !== '') return { conversation: server.conversation(id) };
    return {};
  }

  const fetch = (async (address: string | URL, init: RequestInit = {}) => {
    await Promise.resolve();
    if (!isUp) throw new TypeError('fetch failed');
    const url = new URL(address);
    const call = `${init.method ?? 'GET'} ${url.pathname}`;
    calls.push(call);
    const headers = init.headers as Record<string, string> | undefined;
    const refused =
      refuse(call) ??
      (url.pathname.startsWith('/auth/') || isGood(headers?.authorization?.slice(7))
        ? undefined
        : unauthenticated);
    const sent = init.body instanceof FormData ? init.body : JSON.parse(String(init.body ?? '{}'));
    const body = refused ?? (sent instanceof FormData ? keep(sent) : answer(call, url, sent));
    if (loseAnswers) throw new TypeError('fetch failed');
    const isRefusal = typeof body === 'object' && body !== null && 'status' in body && 'code' in body;
    const status = isRefusal ? Number(body.status) : 200;
    return new Response(JSON.stringify(body), { status, headers: refused?.headers ?? {} });
  }) as typeof globalThis.fetch;

  class PretendSocket {
    readonly #listeners = new Map<string, Listener[]>();
    #isOver = false;

    constructor(_url: string, protocols: string[]) {
      sockets += 1;
      queueMicrotask(() => {
        if (!isUp || !isGood(protocols[1]?.slice('bearer.'.length))) return this.#over(1006);
        const deliver = (frame: ServerFrame) => this.#emit('message', { data: JSON.stringify(frame) });
        socket = { deliver, close: (code) => this.#over(code) };
        deliver({ type: 'welcome', data: { sessionId: 's', userId: me.id, heartbeatMs: 30_000 } });
        const frames = server.connect(() => {
          for (const frame of frames.splice(0))
            if (!(loseAcks && frame.type === 'message-ack')) deliver(frame);
        });
      });
    }

    addEventListener(type: string, listener: Listener) {
      this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
    }

    send(text: string) {
      const frame = JSON.parse(text);
      if (this.#isOver || !isUp) return;
      sentFrames.push(frame);
      if (frame.type === 'ping') this.#emit('message', { data: '{"type":"pong"}' });
      if (frame.type !== 'send-message') return;
      const { conversationId, clientMsgId } = frame.data;
      const refusal = refuseFrame(clientMsgId);
      const data = refusal ?? { code: 'NOT_CONVERSATION_MEMBER', retryable: false };
      queueMicrotask(() => {
        if (refusal || !server.send(conversationId, clientMsgId)) {
          this.#emit('message', {
            data: JSON.stringify({ type: 'error', data: { ...data, message: '', clientMsgId } }),
          });
        }
      });
    }

    close(code = 1000) {
      this.#over(code);
    }

    #over(code: number) {
      if (this.#isOver) return;
      this.#isOver = true;
      socket = undefined;
      server.disconnect();
      queueMicrotask(() => this.#emit('close', { code, reason: '' }));
    }

    #emit(type: string, event: unknown) {
      if (this.#isOver && type === 'message') return;
      for (const listener of this.#listeners.get(type) ?? []) listener(event);
    }
  }

  return {
    server,
    fetch,
    webSocket: PretendSocket,
    /** Calls so far, as `POST /sync`. */
    calls,
    sentFrames,
    tokens,
    sockets: () => sockets,
    /** Closes the socket as the server would. */
    close: (code: number) => socket?.close(code),
    deliver: (frame: ServerFrame) => socket?.deliver(frame),
    down() {
      isUp = false;
      socket?.close(1006);
    },
    up() {
      isUp = true;
    },
    set(faults: {
      loseAnswers?: boolean;
      loseAcks?: boolean;
      refuse?: typeof refuse;
      refuseFrame?: typeof refuseFrame;
    }) {
      ({
        loseAnswers = loseAnswers,
        loseAcks = loseAcks,
        refuse = refuse,
        refuseFrame = refuseFrame,
      } = faults);
    },
  };
}

export type PretendNetwork = ReturnType<typeof createPretendNetwork>;
