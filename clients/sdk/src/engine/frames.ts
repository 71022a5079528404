import { hasHole } from '../model/conversation-state.ts';
import type { Outcome, ServerFrame } from '../model/input.ts';
import { backoffMs } from '../transport/backoff.ts';
import { asGoChatError } from '../transport/errors.ts';
import { catchUp } from './catch-up.ts';
import type { Core } from './core.ts';

export interface Frames {
  /** Takes a frame in. While the client asks the server, frames wait: they are newer than the answer. */
  take(frame: ServerFrame): void;
  /** Runs work on the model during which frames wait. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Looks whether an input left something that only the server can tell. */
  check(outcome: Pick<Outcome, 'changed'>): void;
  /** There is a socket, and the client has caught up: asks for what is still open from before. */
  start(): void;
  /** The socket is gone: what came by it and waits is brought by the next sync. */
  reset(): void;
}

/** Frames that overtook another wait so long for it, before the client asks for what is missing. */
const patienceMs = 250;
const maxHeld = 5_000;

/** Applies frames to the model, and asks the server for whatever they leave open. */
export function createFrames(deps: {
  core: Core;
  /** For frames that concern no conversation's state, such as errors. */
  onOther(frame: ServerFrame): void;
  /** So many frames wait that a new start is cheaper. */
  onOverflow(): void;
}): Frames {
  const { core } = deps;
  let held: ServerFrame[] = [];
  let holders = 0;
  let withHole = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  /** True while there is a socket. */
  let isLive = false;
  /** Changes with every socket. */
  let run = new AbortController();

  function isOpen(id: string): boolean {
    const one = core.state.conversations.get(id);
    return one !== undefined && hasHole(one);
  }

  function take(frame: ServerFrame): void {
    if (holders > 0) {
      held.push(frame);
      if (held.length > maxHeld) deps.onOverflow();
      return;
    }
    if (frame.type === 'error' || frame.type === 'pong') deps.onOther(frame);
    else check(core.apply({ type: 'frame', frame }));
  }

  function check({ changed }: { changed: Iterable<string> }): void {
    // The next sync brings what is missing now.
    if (!isLive) return;
    for (const id of changed) if (isOpen(id)) withHole.add(id);
    if (core.state.uncertain.length > 0) repairIn(0);
    else if (withHole.size > 0) repairIn(patienceMs);
  }

  function repairIn(ms: number): void {
    if (timer !== undefined && ms > 0) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      repair(run.signal);
    }, ms);
  }

  async function repair(signal: AbortSignal): Promise<void> {
    const ids = core.state.uncertain;
    const suspects = withHole;
    withHole = new Set();
    const stillOpen = () => [...suspects, ...ids].some(isOpen);
    if (ids.length === 0 && !stillOpen()) return;
    try {
      await during(async () => {
        for (const id of ids) await fetchOne(id, signal);
        if (stillOpen()) await catchUp(core, signal);
      });
      failures = 0;
    } catch {
      for (const id of suspects) withHole.add(id);
      if (!signal.aborted) repairIn(backoffMs(failures) * core.random());
      failures += 1;
    }
  }

  async function fetchOne(id: string, signal: AbortSignal): Promise<void> {
    try {
      const { conversation } = await core.api('GET /conversations/{id}', { path: { id } });
      if (!signal.aborted) core.apply({ type: 'conversation', conversation });
    } catch (error) {
      if (asGoChatError(error).retryable) throw error;
      if (!signal.aborted) core.apply({ type: 'conversation-gone', conversationId: id });
    }
  }

  async function during<T>(work: () => Promise<T>): Promise<T> {
    const mine = run;
    holders += 1;
    try {
      return await work();
    } finally {
      if (run === mine) {
        holders -= 1;
        if (holders === 0) release();
      }
    }
  }

  function release(): void {
    const waiting = held;
    held = [];
    for (const frame of waiting) take(frame);
  }

  return {
    take,
    during,
    check,
    start() {
      isLive = true;
      check({ changed: core.state.conversations.keys() });
    },
    reset() {
      isLive = false;
      run.abort();
      run = new AbortController();
      clearTimeout(timer);
      timer = undefined;
      holders = 0;
      held = [];
      withHole = new Set();
      failures = 0;
    },
  };
}
