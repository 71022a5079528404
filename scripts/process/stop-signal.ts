/**
 * A signal that is aborted when this process should end: on Ctrl-C, SIGTERM, a closed terminal, or the end of its
 * parent run.mjs. A second request changes nothing.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort(new Error(name)));
  }
  process.once('disconnect', () => controller.abort(new Error('parent ended')));
  // The listener for the parent's end must not keep this process alive.
  process.channel?.unref();
  return controller.signal;
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
