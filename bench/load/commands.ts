import type { HistogramData } from '../measure/histogram.ts';

/** One socket of a load process. `key` names it in later commands. */
export type SessionSpec = {
  key: number;
  userId: string;
  accessToken: string;
  /** Base URL. */
  gateway: string;
  /** Conversations whose messages must all arrive here, with their heads at this moment. */
  follows: [conversationId: string, head: number][];
};

export type ConnectReport = {
  opened: number;
  /** What went wrong with the others, by message. */
  failures: Record<string, number>;
  /** From the attempt to `welcome`. */
  latency: HistogramData;
};

/** Who sends where. */
export type Route = { session: number; conversationId: string };

export type SendPlan = {
  /** Measurements are kept apart by it: a message counts for the phase in which it was due. */
  phase: number;
  routes: Route[];
  seconds: number;
  /** Characters of a message's content. */
  payload: number;
  /** Measures each second apart, by when its sends were due. */
  timeline: boolean;
  /** Monotonic microseconds. */
  startsAt: number;
} & (
  | {
      kind: 'open';
      rate: number;
      seed: number;
      /** Other rates after it, without a pause. */
      after: Rung[];
    }
  | {
      kind: 'closed';
      inFlight: number;
      /** So many routes in a row send in turn: each waits for the acknowledgement of the one before. */
      turns: number;
    }
);

export type Rung = { rate: number; seconds: number };

/** One second of a phase: what became of the sends that were due in it. */
export type Moment = {
  second: number;
  sent: number;
  acknowledged: number;
  refused: number;
  ack: HistogramData;
};

/** What one process measured of one phase. */
export type PhaseReport = {
  sent: number;
  acknowledged: number;
  /** Error frames by code. */
  refused: Record<string, number>;
  /** Sends whose answer has not come. */
  unanswered: number;
  deliveries: number;
  ack: HistogramData;
  delivery: HistogramData;
  /** From the due time to the error frame of those that were refused. */
  refusal: HistogramData;
  /** Empty unless the plan asked for it. */
  timeline: Moment[];
  /** How late this process sent what was due: beyond some milliseconds the load itself is too slow. */
  lateness: HistogramData;
  /** Monotonic microseconds; 0 when there was none. */
  lastAckAt: number;
  lastDeliveryAt: number;
  /** Of a phase that was watched: each message's scheduled time and last arrival. */
  lastArrivals: LastArrival[];
};

export type LastArrival = {
  conversationId: string;
  seq: number;
  sentAt: number;
  lastAt: number;
  copies: number;
};

export type SeqFaults = { lost: number; repeated: number; echoed: number; outOfOrder: number };

export type RestCall = { method: 'GET' | 'POST' | 'PUT'; path: string; accessToken: string; body?: string };

export type RestPlan = {
  gateway: string;
  calls: RestCall[];
  connections: number;
} & (
  | { kind: 'open'; seconds: number; rate: number; startsAt: number; seed: number }
  | { kind: 'closed'; seconds: number }
  /** Each call a single time. */
  | { kind: 'once' }
);

export type RestReport = {
  answered: number;
  /** Answers that were not 2xx by status, and broken connections by message. */
  failures: Record<string, number>;
  latency: HistogramData;
  bytes: number;
  /** The body of the last answer, for a look at what came. */
  sample: string;
  lastAnswerAt: number;
};

export type StormReport = {
  /** From the drop of the socket to `welcome`. */
  welcome: HistogramData;
  /** From the drop of the socket to the last page of POST /sync. */
  synced: HistogramData;
  failures: Record<string, number>;
  messagesSynced: number;
};

/** What a load process can be told to do. */
export type LoadCommands = {
  /** Opens sockets, so many at a time, and resolves when all are open or have failed. */
  connect(input: { sessions: SessionSpec[]; parallel: number }): Promise<ConnectReport>;
  /** Closes sockets; abruptly means without a close frame, all in one turn. */
  disconnect(input: { keys: number[]; abruptly: boolean }): Promise<void>;
  /** Sends until the time is over and resolves when every answer is here or a deadline has passed. */
  send(plan: SendPlan): Promise<void>;
  /** From now on remembers when each message of these conversations arrived at the last socket. */
  watchArrivals(input: { conversationIds: string[] }): Promise<void>;
  /** What the phase measured, and forgets it. */
  collect(input: { phase: number }): Promise<PhaseReport>;
  /** The highest seqs that were acknowledged here, by conversation. */
  heads(input: Record<never, never>): Promise<[string, number][]>;
  /**
   * Waits until everything up to the heads has arrived or the deadline passed, and tells what is wrong. Sockets that
   * were told to hang are left out.
   */
  settle(input: { heads: [string, number][]; deadlineMs: number }): Promise<SeqFaults>;
  /** Stops reading from sockets, as a client does that hangs; or goes on. */
  setReading(input: { keys: number[]; reading: boolean }): Promise<void>;
  /** Sockets that the gateway closed since the start, by close code. */
  closes(input: Record<never, never>): Promise<Record<string, number>>;
  rest(plan: RestPlan): Promise<RestReport>;
  /** Drops all sockets at once; `reconnect` brings them back and syncs. */
  drop(input: Record<never, never>): Promise<void>;
  reconnect(input: {
    parallel: number;
    cursors: [userId: string, cursors: [string, number][]][];
  }): Promise<StormReport>;
};

export type CommandName = keyof LoadCommands;

export type CommandMessage = { id: number; name: CommandName; input: unknown };
export type AnswerMessage = { id: number; value: unknown } | { id: number; error: string };
