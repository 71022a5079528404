import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeMessage } from './message-change.ts';

/** The fan-out stores its progress every 250 ms. If it lags further behind, the change does not wait for it. */
const maxWaitMs = 1500;
const pollMs = 100;

/**
 * Changes a message as soon as it is delivered. The fan-out and the events of changes reach gateways on two ways, so a
 * change right after its message would overtake it. What is refused is refused at once.
 */
export const afterDelivery =
  (changeMessage: ChangeMessage): ChangeMessage =>
  async (asked, decide, keys) => {
    const until = performance.now() + maxWaitMs;
    for (;;) {
      let waits = false;
      const answer = await changeMessage(
        asked,
        async (state) => {
          const change = await decide(state);
          waits = change !== undefined && !state.delivered && performance.now() < until;
          return waits ? undefined : change;
        },
        keys,
      );
      if (!waits) return answer;
      await sleep(pollMs);
    }
  };
