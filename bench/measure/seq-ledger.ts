export type SeqLedger = {
  /** A `new-message` with this seq id has arrived. */
  received(seq: number): void;
  /** A message of this session was acknowledged with this seq id; no `new-message` will follow for it. */
  sent(seq: number): void;
  /** `POST /sync` returned this seq id. The socket may have delivered the same message meanwhile. */
  synced(seq: number): void;
  /** The highest seq id up to which no message is missing. */
  cursor(): number;
  /** The number of seq ids up to `head` that have not arrived. */
  missing(head: number): number;
  repeated(): number;
  /** The number of messages that were delivered to the session that sent them. */
  echoed(): number;
  outOfOrder(): number;
};

/**
 * Checks the messages of one session in one conversation: it must get every seq id after `head` exactly once and
 * ascending, by `new-message` or, for its own messages, by the acknowledgement. Only own messages and exceptions take
 * memory.
 */
export function createSeqLedger(head: number): SeqLedger {
  /** The highest seq id that has arrived; own ones count only when all before them have arrived. */
  let last = head;
  let repeated = 0;
  let echoed = 0;
  let outOfOrder = 0;
  /** Seq ids up to `last` that have not arrived. */
  const gaps = new Set<number>();
  /** Seq ids of own messages: those above `last`, and all. */
  const own = new Set<number>();
  const everOwn = new Set<number>();

  function advanceTo(seq: number): void {
    for (let between = last + 1; between < seq; between += 1) {
      if (!own.delete(between)) gaps.add(between);
    }
    own.delete(seq);
    last = seq;
    while (own.delete(last + 1)) last += 1;
  }

  return {
    received(seq) {
      if (seq > last) {
        if (own.has(seq)) echoed += 1;
        advanceTo(seq);
      } else if (gaps.delete(seq)) outOfOrder += 1;
      else if (everOwn.has(seq)) echoed += 1;
      else repeated += 1;
    },
    sent(seq) {
      if (everOwn.has(seq)) {
        repeated += 1;
        return;
      }
      everOwn.add(seq);
      if (seq === last + 1) advanceTo(seq);
      else if (seq > last) own.add(seq);
      else if (!gaps.delete(seq)) echoed += 1;
    },
    synced(seq) {
      if (seq > last) advanceTo(seq);
      else gaps.delete(seq);
    },
    cursor() {
      return gaps.size > 0 ? Math.min(...gaps) - 1 : last;
    },
    missing(to) {
      let missing = 0;
      for (const gap of gaps) if (gap <= to) missing += 1;
      for (let seq = last + 1; seq <= to; seq += 1) if (!own.has(seq)) missing += 1;
      return missing;
    },
    repeated: () => repeated,
    echoed: () => echoed,
    outOfOrder: () => outOfOrder,
  };
}
