import type { HistogramData } from '../measure/histogram.ts';

/** One socket of a load process. Later commands refer to it by `key`. */
export type SessionSpec = {
  key: number;
  userId: string;
  accessToken: string;
  /** Base URL. */
  gateway: string;
  /** Conversations of which this socket must get all messages, with their current heads. */
  follows: [conversationId: string, head: number][];
};

export type ConnectReport = {
  opened: number;
  /** The numbers of failed sockets, by error message. */
  failures: Record<string, number>;
  /** From the connection attempt to `welcome`. */
  latency: HistogramData;
};

/** A session and the conversation it sends to. */
export type Route = { session: number; conversationId: string };

export type SendPlan = {
  /** The number of the phase: a message is measured in the phase in which it was due. */
  phase: number;
  routes: Route[];
  seconds: number;
  /** The characters of a message's content. */
  payload: number;
  /** True: measures each second separately, by the due times of its sends. */
  timeline: boolean;
  /** Monotonic microseconds. */
  startsAt: number;
} & (
  | {
      kind: 'open';
      rate: number;
      seed: number;
      /** Further rates after the first, without a pause. */
      after: Rung[];
    }
  | {
      kind: 'closed';
      inFlight: number;
      /**
       * This many consecutive routes send one after the other: each waits for the acknowledgement of the previous
       * one.
       */
      turns: number;
    }
);

export type Rung = { rate: number; seconds: number };

/** One second of a phase: the outcome of the sends that were due in it. */
export type Moment = {
  second: number;
  sent: number;
  acknowledged: number;
  refused: number;
  ack: HistogramData;
};

/** The measurements of one process in one phase. */
export type PhaseReport = {
  sent: number;
  acknowledged: number;
  /** The numbers of error frames, by code. */
  refused: Record<string, number>;
  /** Sends without an answer. */
  unanswered: number;
  deliveries: number;
  ack: HistogramData;
  delivery: HistogramData;
  /** From the due time to the error frame, for refused sends. */
  refusal: HistogramData;
  /** Empty unless the plan has `timeline`. */
  timeline: Moment[];
  /** From the due time to the send: above some milliseconds the load process itself is too slow. */
  lateness: HistogramData;
  /** Monotonic microseconds; 0 if there was none. */
  lastAckAt: number;
  lastDeliveryAt: number;
  /** After `watchArrivals`: the due time and the last arrival of each message. */
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
  /** Makes each call once. */
  | { kind: 'once' }
);

export type RestReport = {
  answered: number;
  /** The numbers of answers that were not 2xx by status, and of broken connections by error message. */
  failures: Record<string, number>;
  latency: HistogramData;
  bytes: number;
  /** The body of the last answer, for checks of its content. */
  sample: string;
  lastAnswerAt: number;
};

export type StormReport = {
  /** From the drop of the old socket to `welcome`. */
  welcome: HistogramData;
  /** From the drop of the old socket to the last page of POST /sync. */
  synced: HistogramData;
  failures: Record<string, number>;
  messagesSynced: number;
};

/** The commands of a load process. */
export type LoadCommands = {
  /** Opens sockets, `parallel` at a time; resolves when all are open or have failed. */
  connect(input: { sessions: SessionSpec[]; parallel: number }): Promise<ConnectReport>;
  /** Closes sockets; `abruptly`: without a close frame, all in one turn of the event loop. */
  disconnect(input: { keys: number[]; abruptly: boolean }): Promise<void>;
  /** Sends until the time is over; resolves when all answers have arrived, or after a deadline of 20 s. */
  send(plan: SendPlan): Promise<void>;
  /** Records from now on when each message of these conversations arrives at its last socket. */
  watchArrivals(input: { conversationIds: string[] }): Promise<void>;
  /** Returns the measurements of the phase and discards them. */
  collect(input: { phase: number }): Promise<PhaseReport>;
  /** The highest seq ids that were acknowledged in this process, by conversation. */
  heads(input: Record<never, never>): Promise<[string, number][]>;
  /**
   * Waits until all messages up to the heads have arrived, or until the deadline; returns the faults. Sockets that
   * `setReading` has paused are not checked.
   */
  settle(input: { heads: [string, number][]; deadlineMs: number }): Promise<SeqFaults>;
  /** Pauses reading from sockets, like a client that hangs, or resumes it. */
  setReading(input: { keys: number[]; reading: boolean }): Promise<void>;
  /** The numbers of sockets that the gateway has closed since the start, by close code. */
  closes(input: Record<never, never>): Promise<Record<string, number>>;
  rest(plan: RestPlan): Promise<RestReport>;
  /** Drops all sockets at once; `reconnect` opens them again and syncs. */
  drop(input: Record<never, never>): Promise<void>;
  reconnect(input: {
    parallel: number;
    cursors: [userId: string, cursors: [string, number][]][];
  }): Promise<StormReport>;
};

export type CommandName = keyof LoadCommands;

export type CommandMessage = { id: number; name: CommandName; input: unknown };
export type AnswerMessage = { id: number; value: unknown } | { id: number; error: string };
