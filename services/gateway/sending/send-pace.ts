export type SendPace = {
  /** How long a message took from its frame to its acknowledgement. */
  note(seconds: number): void;
  /** How long the next produce may wait for more messages, in milliseconds. */
  lingerMs(): number;
};

const share = 0.3;
const longestMs = 10;
/** Of the newest acknowledgement in the moving average. */
const weight = 1 / 64;

/**
 * Paces the produces of a gateway. A produce costs the broker, this gateway and its reader about as much whether it
 * carries one message or a hundred, and messages that overtake a save wait for the next one anyway. So a produce
 * waits for a share of what an acknowledgement takes lately: hardly at all while the system is idle, and longer the
 * more it has to do.
 */
export function createSendPace(): SendPace {
  let ackMs = 0;
  return {
    note(seconds) {
      ackMs += weight * (seconds * 1000 - ackMs);
    },
    lingerMs: () => Math.min(ackMs * share, longestMs),
  };
}
