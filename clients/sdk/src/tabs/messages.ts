// Room: how the tabs of a browser are one client: one of them leads, and works for the others. It stands on the engine's
// seat; the rest of the client does not know whether it is alone.

import type { Connection } from '../engine/connection.ts';
import type { Input, State } from '../model/input.ts';

/** What a tab asks of the leading one. */
export type Command =
  | { do: 'dispatch'; input: Input }
  | { do: 'typing'; conversationId: string }
  | { do: 'token'; refused?: string }
  | { do: 'wake' }
  | { do: 'sign-out'; wipe: boolean };

export interface Snapshot {
  state: State;
  connection: Connection;
  devices: string[];
}

/** Who leads, since when in the order of leaders, and how much it has told so far. */
export interface Leading {
  leader: string;
  term: number;
  at: number;
}

/** What tabs tell each other. */
export type TabMessage =
  /** A tab wants to know who leads, and what the state is. */
  | { type: 'hello'; from: string }
  | ({ type: 'beat' } & Leading)
  | ({ type: 'snapshot'; to: string | undefined; snapshot: Snapshot } & Leading)
  | ({ type: 'input'; input: Input } & Leading)
  | ({ type: 'connection'; connection: Connection } & Leading)
  | { type: 'command'; to: string; from: string; id: number; command: Command }
  | { type: 'done'; to: string; id: number; answer?: string; error?: TabError };

/** An error on its way from tab to tab. */
export interface TabError {
  code: string;
  message: string;
  retryable: boolean;
  retryAfterMs: number | undefined;
}
