export type CircuitBreaker = {
  /** False while calls must not be made. After the pause, one call at a time may try. */
  mayTry(): boolean;
  succeeded(): void;
  failed(): void;
  isOpen(): boolean;
};

/**
 * Stops calls to something that does not work: after `failures` failed calls in a row, calls are refused for `pauseMs`.
 * Then a single call may try, and decides whether the others follow.
 */
export function createCircuitBreaker(options: {
  failures: number;
  pauseMs: number;
  now?: () => number;
}): CircuitBreaker {
  const { failures, pauseMs, now = Date.now } = options;
  let failed = 0;
  let refusedUntil = 0;

  const isOpen = () => failed >= failures;

  return {
    isOpen,
    mayTry() {
      if (!isOpen()) return true;
      if (now() < refusedUntil) return false;
      // Whoever asks next waits for the outcome of this try.
      refusedUntil = now() + pauseMs;
      return true;
    },
    succeeded() {
      failed = 0;
    },
    failed() {
      failed += 1;
      refusedUntil = now() + pauseMs;
    },
  };
}
