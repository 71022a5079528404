import type { Message } from '../../clients/sdk/src/wire/wire.ts';

type Attendance = { nick: string; from: number; to: number | undefined; next: number };

export type Verdict = {
  lines: number;
  deliveries: number;
  /** One sentence per fault; empty if everything arrived as expected. */
  faults: string[];
  ackMs: number[];
  deliveryMs: number[];
};

export type Ledger = ReturnType<typeof createLedger>;

const catchUpDeadlineMs = 20_000;
const maxFaults = 50;

/**
 * Records what a replay sends and receives, and checks it. Lines are stored in the order of the log, so line n (from
 * 0) must have seq id n + 1. A user who is present from line a to line b must receive exactly a … b, in order and
 * with unchanged text.
 */
export function createLedger() {
  const lines: { nick: string; text: string; sentAt: number }[] = [];
  const attendances: Attendance[] = [];
  const present = new Map<string, Attendance>();
  const waiters = new Map<string, () => void>();
  const faults: string[] = [];
  const ackMs: number[] = [];
  const deliveryMs: number[] = [];
  let deliveries = 0;

  const fault = (text: string) => {
    if (faults.length < maxFaults) faults.push(text);
  };
  /** Skips the sender's own lines: it gets an acknowledgement for them instead of a delivery. */
  const skipOwn = (attendance: Attendance) => {
    while (lines[attendance.next]?.nick === attendance.nick) attendance.next += 1;
  };

  return {
    joined(nick: string) {
      const attendance = { nick, from: lines.length, to: undefined, next: lines.length };
      attendances.push(attendance);
      present.set(nick, attendance);
    },
    left(nick: string) {
      const attendance = present.get(nick);
      if (attendance) attendance.to = lines.length;
      present.delete(nick);
    },
    sent(line: number, nick: string, text: string, sentAt: number) {
      if (line !== lines.length) fault(`line ${line} was sent as number ${lines.length}`);
      lines.push({ nick, text, sentAt });
    },
    acknowledged: (ms: number) => ackMs.push(ms),
    received(nick: string, message: Message) {
      const attendance = present.get(nick);
      const index = message.seqId - 1;
      const line = lines[index];
      if (!attendance || !line) return fault(`${nick} received seq ${message.seqId}, which it should not`);
      skipOwn(attendance);
      if (index !== attendance.next) {
        fault(`${nick} received seq ${message.seqId} and expected ${attendance.next + 1}`);
        if (index < attendance.next) return;
      }
      if (message.content !== line.text) fault(`${nick} received other text as seq ${message.seqId}`);
      deliveries += 1;
      deliveryMs.push(performance.now() - line.sentAt);
      attendance.next = index + 1;
      skipOwn(attendance);
      if (attendance.next >= lines.length) waiters.get(nick)?.();
    },
    /** Resolves when a participant has received all lines so far; records a fault after a deadline of 20 s. */
    caughtUp(nick: string): Promise<void> {
      const attendance = present.get(nick);
      if (!attendance) return Promise.resolve();
      skipOwn(attendance);
      if (attendance.next >= lines.length) return Promise.resolve();
      return new Promise((resolve) => {
        const deadline = setTimeout(() => {
          fault(`${nick} received only up to seq ${attendance.next} of ${lines.length}`);
          waiters.delete(nick);
          resolve();
        }, catchUpDeadlineMs);
        waiters.set(nick, () => {
          clearTimeout(deadline);
          waiters.delete(nick);
          resolve();
        });
      });
    },
    /** Compares the stored history with the lines that were sent. */
    compareHistory(history: Message[], usernameOf: (nick: string) => string | undefined) {
      if (history.length !== lines.length)
        fault(`history holds ${history.length} messages, the log ${lines.length}`);
      for (const [index, line] of lines.entries()) {
        const message = history[index];
        if (!message) return;
        if (message.seqId !== index + 1) fault(`history has seq ${message.seqId} where ${index + 1} belongs`);
        if (message.content !== line.text) fault(`history has other text as seq ${index + 1}`);
        if (message.sender.username !== usernameOf(line.nick))
          fault(`history has another sender of seq ${index + 1}`);
      }
    },
    verdict: (): Verdict => ({ lines: lines.length, deliveries, faults, ackMs, deliveryMs }),
    attendances: () => attendances.length,
  };
}
