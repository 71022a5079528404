import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ByteAllowance } from '../limits/byte-rate.ts';
import type { FrameAllowance } from '../limits/frame-rate.ts';
import type { Offences } from './offences.ts';
import type { SentMessages } from './sent-messages.ts';

/** One socket of a user. */
export type Session = {
  readonly id: string;
  readonly userId: string;
  /** The login session whose token opened the socket. */
  readonly loginSessionId: string;
  readonly socket: WebSocket;
  /** The connection below the WebSocket: frames that are encoded already are written to it directly. */
  readonly stream: Duplex;
  readonly connectedAt: number;
  /** connecting: not registered yet, gets nothing. open: from `welcome` on. closing: gets nothing any more. */
  state: 'connecting' | 'open' | 'closing';
  /** The code with which we closed it. Unset while it is open, and when the client closed it. */
  closedWith?: number;
  /** When something last came from the client. */
  lastSeenAt: number;
  /** The last life sign that was told to im-repo. */
  lastReportedAt: number;
  readonly allowance: FrameAllowance;
  /** Shared with the user's other sessions here. */
  readonly userAllowance: FrameAllowance;
  readonly byteAllowance: ByteAllowance;
  /** Frames that were none, and frames whose data was not what their type takes; made with the first one. */
  malformed?: Offences;
  invalid?: Offences;
  /** Encoded frames of this turn of the event loop, not written yet. */
  outbox: Buffer[];
  sent?: SentMessages;
};
