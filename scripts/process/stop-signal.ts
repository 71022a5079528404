/**
 * Aborted as soon as somebody wants this process to end: Ctrl-C, SIGTERM, the terminal gone, or the parent
 * that run.mjs left in between. Asking twice changes nothing.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort(new Error(name)));
  }
  process.once('disconnect', () => controller.abort(new Error('parent ended')));
  // Listening for its end must not keep this process alive.
  process.channel?.unref();
  return controller.signal;
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
