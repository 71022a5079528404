export type SendPace = {
  /** Records the time from a send-message frame to its acknowledgement. */
  note(seconds: number): void;
  /** How long the next produce may wait for more messages, in milliseconds. */
  lingerMs(): number;
};

/** The linger time, as a share of the average acknowledgement time. */
const share = 0.3;
const maxLingerMs = 10;
/** Weight of the newest acknowledgement in the moving average. */
const weight = 1 / 64;

/**
 * Decides how long the produces of a gateway linger. A produce costs the broker, this gateway and the consumer about the
 * same with one message or with a hundred, and messages that arrive during a save wait for the next save anyway. So a
 * produce lingers for a share of the recent acknowledgement time: hardly at all while the system is idle, and longer
 * under load.
 */
export function createSendPace(): SendPace {
  let ackMs = 0;
  return {
    note(seconds) {
      ackMs += weight * (seconds * 1000 - ackMs);
    },
    lingerMs: () => Math.min(ackMs * share, maxLingerMs),
  };
}
