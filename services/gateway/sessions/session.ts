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
  /** connecting: not registered yet, gets no frames. open: from `welcome` on. closing: gets no frames any more. */
  state: 'connecting' | 'open' | 'closing';
  /** The code with which the gateway closed the session. Unset while it is open, and if the client closed it. */
  closedWith?: number;
  /** When the client last sent anything, in Unix ms. */
  lastSeenAt: number;
  /** When the session was last reported to im-repo, in Unix ms. */
  lastReportedAt: number;
  readonly allowance: FrameAllowance;
  /** Shared with the user's other sessions here. */
  readonly userAllowance: FrameAllowance;
  readonly byteAllowance: ByteAllowance;
  /** Recent malformed frames, and recent frames with invalid data. Created by the first one. */
  malformed?: Offences;
  invalid?: Offences;
  /** Encoded frames that are written at the end of this turn of the event loop. */
  outbox: Buffer[];
  sent?: SentMessages;
};
