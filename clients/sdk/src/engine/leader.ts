import type { Input, Outcome, State } from '../model/input.ts';
import { emptyState } from '../model/model.ts';
import type { Persister, Stored } from '../storage/persister.ts';
import type { Storage } from '../storage/storage.ts';
import type { Call } from '../transport/api.ts';
import { asGoChatError, type GoChatError } from '../transport/errors.ts';
import type { WebSocketLike } from '../transport/socket.ts';
import { belongsToOther, type Credentials, createTokens, replaces } from '../transport/tokens.ts';
import type { Connection } from './connection.ts';
import { createEngine, type Engine } from './engine.ts';

export interface Leader extends Omit<Engine, 'end'> {
  /** Ends the session, here and at the server. `wipe` removes everything that is stored on this device. */
  signOut(wipe: boolean): Promise<void>;
}

export interface LeaderDeps {
  url: string;
  credentials: Credentials;
  /** Without one, everything is forgotten when the client goes. */
  storage: Storage<unknown> | undefined;
  call: Call;
  WebSocket: WebSocketLike;
  random(): number;
  state: State;
  /** True: the state is newer than what is stored, and only the session is read. */
  keepState: boolean;
  apply(input: Input): Outcome;
  /** Tells with what the clientMsgIds of this client begin; new ones with the first. */
  onDevices(devices: string[]): void;
  devices(): string[];
  onConnection(connection: Connection): void;
  onError(error: GoChatError): void;
  /** The state was replaced as a whole. */
  onWiped(): void;
}

const maxDevices = 10;

/** The engine of a client with its storage and its session. */
export async function createLeader(deps: LeaderDeps): Promise<Leader> {
  const { credentials, call, state } = deps;
  const report = (error: unknown) => deps.onError(asGoChatError(error));
  let persister = deps.storage?.createPersister({ ...deps, onError: report }) ?? noPersister;
  const tokens = createTokens({ credentials, call, onChange: (held) => persister.put('held', held) });

  const { held, state: stored, devices = [] } = (await load()) ?? {};
  const isOther = held !== undefined && belongsToOther(credentials, held.session);
  if (isOther) await wipe();
  else {
    const ids = [...(stored?.conversations.keys() ?? []), ...state.conversations.keys()];
    if (deps.keepState) persister.changed(ids);
    else Object.assign(state, stored);
    tokens.hold(held && replaces(credentials, held.session) ? undefined : held);
    // What was sent before storage was read has begun otherwise.
    const [first = deps.devices()[0] ?? '', ...others] = devices;
    deps.onDevices([first, ...[...others, ...deps.devices()].slice(-maxDevices)]);
  }
  persister.put('devices', deps.devices());

  const engine = createEngine({
    ...deps,
    tokens,
    persister,
    onConnection(connection) {
      if (connection.state === 'ended') {
        tokens.hold(undefined);
        persister.put('held', undefined);
      }
      deps.onConnection(connection);
    },
    onOtherUser: wipe,
  });

  /** A device that can't store, as in some private windows, has a client that forgets. */
  async function load(): Promise<Stored | undefined> {
    try {
      if (deps.storage?.createTabs) await persister.claim();
      return await persister.load();
    } catch (error) {
      persister = noPersister;
      report(error);
      return undefined;
    }
  }

  async function wipe(): Promise<void> {
    Object.assign(state, emptyState());
    await persister.clear();
    persister.put('devices', deps.devices());
    const mine = tokens.held();
    if (mine) persister.put('held', mine);
    deps.onWiped();
  }

  return {
    ...engine,
    start() {
      tokens.accepted();
      engine.start();
    },
    async stop() {
      await engine.stop();
      await persister.flush();
    },
    async signOut(isWiped) {
      const token = tokens.held()?.session.accessToken;
      if (token) await call('POST /auth/logout', {}, token).catch(() => {});
      engine.end('signed-out');
      await engine.stop();
      if (isWiped) await wipe();
      await persister.flush();
    },
  };
}

/** Of a client that forgets everything. */
const noPersister: Persister = {
  load: async () => undefined,
  changed() {},
  flush: async () => {},
  put() {},
  claim: async () => {},
  clear: async () => {},
};
