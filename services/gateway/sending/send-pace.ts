export type SendPace = {
  /** Records how long this gateway took to deliver one downstream record, with the writes to its sockets. */
  delivered(ms: number): void;
  /** How long the next produce may wait for more messages, in milliseconds; 0 if it should not wait. */
  lingerMs(): number;
};

/** The linger time, as a share of the average time of a delivery. */
const share = 0.5;
const maxLingerMs = 10;
/** Timers cannot be shorter than this. */
const minLingerMs = 1;
/** Weight of the newest delivery in the moving average. */
const weight = 1 / 16;

/**
 * Decides how long the produces of a gateway linger. Each produce leads to one save and one downstream record, and a
 * record costs this gateway one write per socket that it reaches, with one message or with twenty. So a produce lingers
 * for a share of what a delivery takes: not at all while a record reaches a few sockets, and for some milliseconds while
 * records reach a hundred or the processors are busy.
 */
export function createSendPace(): SendPace {
  let deliveryMs = 0;
  return {
    delivered(ms) {
      deliveryMs += weight * (ms - deliveryMs);
    },
    lingerMs() {
      const ms = Math.min(deliveryMs * share, maxLingerMs);
      return ms < minLingerMs ? 0 : ms;
    },
  };
}
