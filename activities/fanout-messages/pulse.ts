import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

export type Pulse = {
  /** What the attempt before this one had done; 0 when there was none. */
  lastDone(): number;
  beat(done: number): void;
  /** Throws when this attempt may have been taken for dead: another one may be at work already. */
  assertAlive(): void;
  stop(): void;
};

/** How often it is looked whether the process stood still; the worker sends fewer heartbeats. */
const intervalMs = 500;
/**
 * Of the heartbeat timeout: what a process may stand still. The heartbeat before it may have been sent 5 of 12 s ago.
 */
const silentPart = 0.4;
const usualTimeoutMs = 12_000;

/**
 * The heartbeat of a streaming activity, with the progress in it. A process that stood still (stopped, starved) must
 * not go on as if nothing had happened: the conversation may have been given to another one meanwhile.
 */
export function createPulse(onCancel: () => void): Pulse {
  const context = Context.current();
  const silenceMs = silentPart * (context.info.heartbeatTimeoutMs ?? usualTimeoutMs);
  const details = context.info.heartbeatDetails as { done: number } | undefined;
  let done = details?.done ?? 0;
  let last = Date.now();
  let lost = false;

  const beat = () => {
    const now = Date.now();
    if (now - last > silenceMs) {
      lost = true;
      onCancel();
    }
    last = now;
    context.heartbeat({ done });
  };
  const timer = setInterval(beat, intervalMs);
  const cancel = () => {
    lost = true;
    onCancel();
  };
  context.cancellationSignal.addEventListener('abort', cancel);
  beat();

  return {
    lastDone: () => details?.done ?? 0,
    beat(now) {
      done = now;
      beat();
    },
    assertAlive() {
      if (Date.now() - last > silenceMs) lost = true;
      if (lost) throw ApplicationFailure.retryable('this attempt may have been given up');
    },
    stop() {
      clearInterval(timer);
      context.cancellationSignal.removeEventListener('abort', cancel);
    },
  };
}
