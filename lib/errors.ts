import { status } from '@grpc/grpc-js';
import { ErrorCode } from './gen/im_repo/v1/error_code.ts';

/** One row per code: the HTTP status, the gRPC status, and whether the same request may succeed if it is sent again. */
const table = {
  INVALID_ARGUMENT: [400, status.INVALID_ARGUMENT, false],
  UNAUTHENTICATED: [401, status.UNAUTHENTICATED, false],
  PERMISSION_DENIED: [403, status.PERMISSION_DENIED, false],
  GUEST_NOT_ALLOWED: [403, status.PERMISSION_DENIED, false],
  NOT_CONVERSATION_MEMBER: [403, status.PERMISSION_DENIED, false],
  NOT_FRIENDS: [403, status.PERMISSION_DENIED, false],
  BLOCKED: [403, status.PERMISSION_DENIED, false],
  MEMBER_MUTED: [403, status.PERMISSION_DENIED, false],
  USER_NOT_FOUND: [404, status.NOT_FOUND, false],
  CONVERSATION_NOT_FOUND: [404, status.NOT_FOUND, false],
  MESSAGE_NOT_FOUND: [404, status.NOT_FOUND, false],
  REQUEST_NOT_FOUND: [404, status.NOT_FOUND, false],
  USERNAME_TAKEN: [409, status.ALREADY_EXISTS, false],
  ALREADY_FRIENDS: [409, status.FAILED_PRECONDITION, false],
  REQUEST_ALREADY_HANDLED: [409, status.FAILED_PRECONDITION, false],
  GROUP_FULL: [409, status.FAILED_PRECONDITION, false],
  RECALL_EXPIRED: [409, status.FAILED_PRECONDITION, false],
  EDIT_EXPIRED: [409, status.FAILED_PRECONDITION, false],
  REACTION_LIMIT: [409, status.FAILED_PRECONDITION, false],
  PIN_LIMIT: [409, status.FAILED_PRECONDITION, false],
  IDEMPOTENCY_MISMATCH: [409, status.FAILED_PRECONDITION, false],
  MESSAGE_TOO_LARGE: [413, status.INVALID_ARGUMENT, false],
  PAYLOAD_TOO_LARGE: [413, status.INVALID_ARGUMENT, false],
  QUOTA_EXCEEDED: [413, status.RESOURCE_EXHAUSTED, false],
  NOT_FOUND: [404, status.NOT_FOUND, false],
  METHOD_NOT_ALLOWED: [405, status.UNIMPLEMENTED, false],
  UNSUPPORTED_MEDIA_TYPE: [415, status.INVALID_ARGUMENT, false],
  RATE_LIMITED: [429, status.RESOURCE_EXHAUSTED, true],
  INTERNAL_ERROR: [500, status.INTERNAL, true],
  UNAVAILABLE: [503, status.UNAVAILABLE, true],
} as const satisfies Record<string, readonly [http: number, grpc: status, retryable: boolean]>;

export type Code = keyof typeof table;

export type FieldError = { path: string; message: string };

/** The only error class whose code and message callers see. Any other error is a fault, shown as INTERNAL_ERROR. */
export class GoChatError extends Error {
  override readonly name = 'GoChatError';
  readonly code: Code;
  readonly fields: readonly FieldError[];
  /** Milliseconds after which the same request may succeed; undefined if unknown. */
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, fields: readonly FieldError[] = [], retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.fields = fields;
    this.retryAfterMs = retryAfterMs;
  }
}

export const httpStatus = (code: Code): number => table[code][0];
export const grpcStatus = (code: Code): status => table[code][1];
export const isRetryable = (code: Code): boolean => table[code][2];
export const isCode = (text: string): text is Code => Object.hasOwn(table, text);

/** The code of any thrown value. */
export const codeOf = (error: unknown): Code =>
  error instanceof GoChatError ? error.code : 'INTERNAL_ERROR';

/** The message that callers see for every fault. The fault's own message may hold internals, so it is only logged. */
const faultSentence = 'Something went wrong here. Send the same request again.';

/** An INTERNAL_ERROR for a fault of the system, with the fault as its `cause`. */
export const fault = (cause?: unknown): GoChatError => {
  const error = new GoChatError('INTERNAL_ERROR', faultSentence);
  error.cause = cause;
  return error;
};

/** True for a fault of this service or of a service that it called; faults are logged. */
export const isFault = (error: unknown): boolean =>
  !(error instanceof GoChatError) || (error.code === 'INTERNAL_ERROR' && error.cause !== undefined);

/** The message of any thrown value that callers may see. */
export const messageOf = (error: unknown): string =>
  error instanceof GoChatError ? error.message : faultSentence;

const codeByNumber = new Map<number, Code>(
  Object.keys(table)
    .filter(isCode)
    .map((code) => [ErrorCode[`ERROR_CODE_${code}`], code]),
);

/** The number of a code in the proto enum, for results in batch responses. */
export const codeNumber = (code: Code): ErrorCode => ErrorCode[`ERROR_CODE_${code}`];

/** The code of a number in a batch response; undefined for 0, which means success. */
export const codeFromNumber = (number: number): Code | undefined =>
  number === 0 ? undefined : (codeByNumber.get(number) ?? 'INTERNAL_ERROR');
