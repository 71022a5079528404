import type { Input, Outcome, State } from '../model/input.ts';
import type { Picture } from '../model/picture.ts';
import type { Storage } from '../storage/storage.ts';
import type { Api } from '../transport/api.ts';
import type { GoChatError } from '../transport/errors.ts';
import type { Credentials } from '../transport/tokens.ts';
import type { Connection } from './connection.ts';
import type { Leader } from './leader.ts';

/**
 * The place of a client at the engine. A client alone has the engine for itself; of several tabs one has it, and works for
 * the others.
 */
export interface Seat extends Omit<Leader, 'start' | 'token'> {
  start(): void | Promise<void>;
}

/** The storage of a client: one that tabs share creates the seats of its tabs. */
export type SeatStorage = Storage<(deps: SeatDeps) => Seat>;

export interface SeatDeps {
  url: string;
  credentials: Credentials;
  state: State;
  /** Applies an input to the model of this client. */
  apply(input: Input): Outcome;
  /** The same for a change that is no input. */
  change(run: (picture: Picture) => void): Outcome;
  /** Reads storage and makes the engine. `keepState`: the state of this client is newer than what is stored. */
  lead(own: {
    apply(input: Input): Outcome;
    onConnection(connection: Connection): void;
    onWiped(): void;
    keepState: boolean;
  }): Promise<Leader>;
  onConnection(connection: Connection): void;
  /** Tells with what the clientMsgIds of this client begin; new ones with the first. */
  onDevices(devices: string[]): void;
  devices(): string[];
  /** Makes calls with the tokens of another tab. */
  apiWith(token: (refused?: string) => Promise<string>): Api;
  /** Any thrown value, or the fields of an error of another tab, as an error of the client. */
  asError(error: unknown): GoChatError;
  /** Everything may look different now. */
  onReset(): void;
}
