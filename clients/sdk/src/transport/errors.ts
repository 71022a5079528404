// Room: how the client reaches a gateway: errors, REST calls, tokens and sockets. Nothing here knows conversations.

/** An error that the server answered, or UNAVAILABLE if it could not be reached. */
export class GoChatError extends Error {
  override readonly name = 'GoChatError';
  readonly code: string;
  /** True if the same request may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before that, if the server said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, retryable = false, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

export const sessionEnded = 'The session has ended.';

export const unreachable = (why = 'The server did not answer.'): GoChatError =>
  new GoChatError('UNAVAILABLE', why, true);

/**
 * Any thrown value as a GoChatError. One from another tab is known by its fields; what `fetch` throws means that the server
 * was not reached.
 */
export function asGoChatError(error: unknown): GoChatError {
  if (error instanceof GoChatError) return error;
  const { code, message, retryable, retryAfterMs } = Object(error) as Partial<GoChatError>;
  return typeof retryable === 'boolean' && code !== undefined
    ? new GoChatError(code, message ?? code, retryable, retryAfterMs)
    : unreachable(message ?? String(error));
}
