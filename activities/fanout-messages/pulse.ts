import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

export type Pulse = {
  /** The last seq id that the previous attempt delivered; 0 without a previous attempt. */
  lastDone(): number;
  beat(done: number): void;
  /** Throws if Temporal may have timed out this attempt: another attempt may be running already. */
  assertAlive(): void;
  stop(): void;
};

/** How often the timer checks whether the process was suspended; the worker sends fewer heartbeats. */
const intervalMs = 500;
/**
 * The part of the heartbeat timeout for which a process may be suspended. The last heartbeat may have been sent 5 s
 * before the suspension, of a timeout of 12 s.
 */
const maxSilentShare = 0.4;
const defaultTimeoutMs = 12_000;

/**
 * The heartbeat of a streaming activity, which carries its progress. An activity whose process was suspended
 * (SIGSTOP, no CPU) must end: Temporal may have given the conversation to another process in the meantime.
 */
export function createPulse(onCancel: () => void): Pulse {
  const context = Context.current();
  const maxSilenceMs = maxSilentShare * (context.info.heartbeatTimeoutMs ?? defaultTimeoutMs);
  const details = context.info.heartbeatDetails as { done: number } | undefined;
  let done = details?.done ?? 0;
  let last = Date.now();
  let lost = false;

  const beat = () => {
    const now = Date.now();
    if (now - last > maxSilenceMs) {
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
      if (Date.now() - last > maxSilenceMs) lost = true;
      if (lost) throw ApplicationFailure.retryable('this attempt may have been given up');
    },
    stop() {
      clearInterval(timer);
      context.cancellationSignal.removeEventListener('abort', cancel);
    },
  };
}
