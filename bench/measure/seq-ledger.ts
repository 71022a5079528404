export type SeqLedger = {
  /** A `new-message` with this seq arrived. */
  received(seq: number): void;
  /** This session's own message was acknowledged with this seq: no `new-message` will bring it. */
  sent(seq: number): void;
  /** `POST /sync` brought this seq. It may repeat what came by the socket meanwhile. */
  synced(seq: number): void;
  /** The highest seq up to which nothing is missing. */
  cursor(): number;
  /** How many seqs up to `head` have not come. */
  missing(head: number): number;
  repeated(): number;
  /** Own messages that were delivered to the session that sent them. */
  echoed(): number;
  outOfOrder(): number;
};

/**
 * What one session must have of one conversation: every seq after `head` exactly once and ascending, each either by
 * `new-message` or, for what it sent itself, by its acknowledgement. Costs memory only for what it sent and for what is
 * out of line.
 */
export function createSeqLedger(head: number): SeqLedger {
  /** Highest seq that came; own ones count once nothing before them is outstanding. */
  let last = head;
  let repeated = 0;
  let echoed = 0;
  let outOfOrder = 0;
  /** Seqs up to `last` that have not come. */
  const gaps = new Set<number>();
  /** Own seqs beyond `last`, and all of them. */
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
