import type { Actions } from './api/actions.ts';
import { createSubscribers } from './api/emitter.ts';
import { createRoom, type Room } from './api/room.ts';
import { createSends } from './api/sends.ts';
import { createSurface } from './api/surface.ts';
import type { ConversationItem } from './api/views.ts';
import type { Connection } from './engine/connection.ts';
import { createLeader } from './engine/leader.ts';
import type { Seat, SeatDeps, SeatStorage } from './engine/seat.ts';
import type { Input, Outcome } from './model/input.ts';
import { createModel } from './model/model.ts';
import { createCall, withToken } from './transport/api.ts';
import { asGoChatError, GoChatError, sessionEnded } from './transport/errors.ts';
import { newId } from './transport/ids.ts';
import type { WebSocketLike } from './transport/socket.ts';
import type { Credentials } from './transport/tokens.ts';
import type { User } from './wire/wire.ts';

export interface ClientOptions {
  /** Where the gateway is: `https://chat.example.com`. */
  url: string;
  credentials: Credentials;
  /** Where the client keeps what it knows. The default is IndexedDB in a browser and memory elsewhere. */
  storage?: SeatStorage | undefined;
  /** For platforms that lack these, and for tests. */
  webSocket?: WebSocketLike;
  fetch?: typeof globalThis.fetch;
  random?: () => number;
}

export type Client = ReturnType<typeof createClient>;

/** A client for one user. It does nothing before `connect`. */
export function createClient(options: ClientOptions) {
  const { url, credentials, random = Math.random } = options;
  const call = createCall(options);
  /**
   * With these begin the clientMsgIds that this client has made in all its runs. The first one is for new ones, once it
   * was read from storage; until then it is a new one.
   */
  let devices = [newId()];
  const model = createModel((id) => devices.some((device) => id.startsWith(device)));
  const { state } = model;
  const surface = createSurface(state);
  const { emitter, views, rooms } = surface;
  const connectionSubscribers = createSubscribers();
  let connection: Connection = { state: 'connecting' };
  /** How many have connected and not disconnected. */
  let users = 0;
  /** Waiting for the first sync, or for the end. */
  let waiters: { resolve(): void; reject(error: GoChatError): void }[] = [];
  let seat: Seat | undefined;
  let seating: Promise<Seat> | undefined;

  const seatDeps: SeatDeps = {
    url,
    credentials,
    state,
    apply: (input) => told(model.apply(input), input),
    change: (run) => told(model.change(run)),
    lead: async (own) =>
      createLeader({
        url,
        credentials,
        storage: await storage(),
        call,
        WebSocket: options.webSocket ?? globalThis.WebSocket,
        random,
        state,
        devices: seatDeps.devices,
        onDevices: seatDeps.onDevices,
        onError: (error) => emitter.emit('error', error),
        ...own,
      }),
    onConnection(next) {
      connection = next;
      if (next.state === 'ended') {
        users = 0;
        listen('removeEventListener');
      }
      if (next.state === 'online' || next.state === 'ended') {
        const settled = waiters;
        waiters = [];
        const error = new GoChatError(next.reason ?? 'ENDED', sessionEnded);
        for (const { resolve, reject } of settled) next.state === 'online' ? resolve() : reject(error);
      }
      connectionSubscribers.notify();
      emitter.emit('connection', next);
    },
    onDevices(stored) {
      devices = stored;
      surface.reset();
    },
    devices: () => devices,
    apiWith: (token) => withToken(call, token),
    asError: asGoChatError,
    onReset: surface.reset,
  };

  function told(outcome: Outcome, input?: Input): Outcome {
    sends.applied(outcome, input);
    surface.show(outcome, input);
    return outcome;
  }

  /** A browser's default is loaded when it is needed, so that other platforms need not have it. */
  async function storage(): Promise<SeatStorage | undefined> {
    if ('storage' in options || typeof indexedDB === 'undefined') return options.storage;
    return (await import('./indexeddb.ts')).indexedDb();
  }

  function sit(): Promise<Seat> {
    seating ??= storage().then(async (chosen) => {
      const { apply, onConnection, onReset: onWiped } = seatDeps;
      seat =
        chosen?.createTabs?.(seatDeps) ??
        (await seatDeps.lead({ apply, onConnection, onWiped, keepState: false }));
      return seat;
    });
    return seating;
  }

  const dispatch = async (input: Input) => (seat ?? (await sit())).dispatch(input);
  const api: Seat['api'] = async (name, ...request) => (seat ?? (await sit())).api(name, ...request);
  const sends = createSends({ state, dispatch });
  const wake = () => seat?.wake();
  const whenVisible = () => {
    if (document.visibilityState === 'visible') wake();
  };

  function listen(how: 'addEventListener' | 'removeEventListener'): void {
    if (typeof document === 'undefined') return;
    globalThis[how]('online', wake);
    globalThis[how]('offline', wake);
    document[how]('visibilitychange', whenVisible);
  }

  let actions: Promise<Actions> | undefined;

  /** Methods of a part of the actions, which are loaded with the first call. */
  function later<Part extends keyof Actions>(part: Part, ...names: (keyof Actions[Part])[]): Actions[Part] {
    const method =
      (name: keyof Actions[Part]) =>
      async (...args: unknown[]) => {
        actions ??= import('./actions.ts').then((one) =>
          one.createActions({ ...options, api, dispatch, state }),
        );
        // Without network the bundle may have to be loaded again.
        actions.catch(() => {
          actions = undefined;
        });
        return ((await actions)[part][name] as (...args: unknown[]) => unknown)(...args);
      };
    return Object.fromEntries(names.map((name) => [name, method(name)])) as Actions[Part];
  }

  const ofRooms = {
    ...later('messages', 'edit', 'recall', 'react', 'unreact'),
    ...later('history', 'loadOlder', 'jumpTo'),
    ...later('uploads', 'upload'),
  };
  const { direct, ...groups } = later(
    'groups',
    ...(['create', 'direct', 'update', 'choose', 'leave', 'dissolve', 'transfer'] as const),
  );
  return {
    /** Makes any call of the REST API as this user, such as `GET /auth/sessions`. */
    call: api,
    /** Connects. Resolves after the first sync, and rejects only when the session has ended. May be called repeatedly. */
    async connect(): Promise<void> {
      users += 1;
      if (users === 1) listen('addEventListener');
      const one = await sit();
      if (users === 0 || connection.state === 'online') return;
      const online = new Promise<void>((resolve, reject) => waiters.push({ resolve, reject }));
      one.start();
      await online;
    },
    /** Undoes one `connect`; the last one closes the socket. Resolves when everything is stored. */
    async disconnect(): Promise<void> {
      users = Math.max(0, users - 1);
      // A screen that goes and comes at once keeps its connection.
      await new Promise((resolve) => setTimeout(resolve));
      if (users > 0 || !seat) return;
      listen('removeEventListener');
      await seat.stop();
      if (connection.state !== 'ended') seatDeps.onConnection({ state: 'offline', reason: 'disconnected' });
    },
    /** Ends the session, here and at the server. `wipe` removes everything that is stored on this device. */
    async signOut({ wipe = false } = {}): Promise<void> {
      await (await sit()).signOut(wipe);
    },
    connection: { get: () => connection, subscribe: connectionSubscribers.subscribe },
    /** The user, once one has signed in. */
    me: { get: (): User | undefined => state.me, subscribe: surface.me.subscribe },
    on: emitter.on,
    conversations: {
      get: (): readonly ConversationItem[] => views.conversations(),
      subscribe: surface.list.subscribe,
      /** Resolves to false: the first sync lists all conversations, and there are never more to load. */
      loadMore: async (): Promise<boolean> => false,
    },
    conversation(id: string): Room {
      const known = rooms.get(id) as Room | undefined;
      if (known) return known;
      const room = createRoom(id, {
        state,
        api,
        actions: ofRooms,
        views,
        sends,
        dispatch,
        typing: (conversationId) => seat?.typing(conversationId),
        newClientMsgId: () => `${devices[0]}.${newId()}`,
      });
      rooms.set(id, room);
      return room;
    },
    friends: later(
      'friends',
      ...(['list', 'requests', 'request', 'accept', 'reject', 'withdraw', 'remove', 'remark'] as const),
      ...(['block', 'unblock', 'blocked'] as const),
    ),
    groups: { ...groups, members: later('members', 'add', 'remove', 'setRole', 'mute') },
    /** Opens the conversation with a friend. */
    direct,
    users: later('users', 'search', 'get', 'updateMe'),
    /** Searches the messages of the user's conversations. */
    ...later('search', 'search'),
  };
}
