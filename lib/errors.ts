import { status } from '@grpc/grpc-js';
import { ErrorCode } from './gen/im_repo/v1/error_code.ts';

/** One row a code: what REST and gRPC answer, and whether the same request may be sent again. */
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
  IDEMPOTENCY_MISMATCH: [409, status.FAILED_PRECONDITION, false],
  MESSAGE_TOO_LARGE: [413, status.INVALID_ARGUMENT, false],
  PAYLOAD_TOO_LARGE: [413, status.INVALID_ARGUMENT, false],
  NOT_FOUND: [404, status.NOT_FOUND, false],
  METHOD_NOT_ALLOWED: [405, status.UNIMPLEMENTED, false],
  UNSUPPORTED_MEDIA_TYPE: [415, status.INVALID_ARGUMENT, false],
  RATE_LIMITED: [429, status.RESOURCE_EXHAUSTED, true],
  INTERNAL_ERROR: [500, status.INTERNAL, true],
  UNAVAILABLE: [503, status.UNAVAILABLE, true],
} as const satisfies Record<string, readonly [http: number, grpc: status, retryable: boolean]>;

export type Code = keyof typeof table;

export type FieldError = { path: string; message: string };

/** The one error of the system. Whatever else is thrown is a fault and shows as INTERNAL_ERROR. */
export class GoChatError extends Error {
  override readonly name = 'GoChatError';
  readonly code: Code;
  readonly fields: readonly FieldError[];
  /** After how long the same request may succeed, where that is known. */
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

/** The code of anything that was thrown. */
export const codeOf = (error: unknown): Code =>
  error instanceof GoChatError ? error.code : 'INTERNAL_ERROR';

/** All that is told of a fault: its own words are for the log, not for whoever reads the answer. */
const faultSentence = 'Something went wrong here. Send the same request again.';

/** An error for what is nobody's doing but ours. */
export const fault = (cause?: unknown): GoChatError => {
  const error = new GoChatError('INTERNAL_ERROR', faultSentence);
  error.cause = cause;
  return error;
};

/** Whether it is a fault, of here or of a service that was asked: something for the log. */
export const isFault = (error: unknown): boolean =>
  !(error instanceof GoChatError) || (error.code === 'INTERNAL_ERROR' && error.cause !== undefined);

/** What the caller may read about anything that was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof GoChatError ? error.message : faultSentence;

const codeByNumber = new Map<number, Code>(
  Object.keys(table)
    .filter(isCode)
    .map((code) => [ErrorCode[`ERROR_CODE_${code}`], code]),
);

/** The proto enum's number of a code, for results inside batch responses. */
export const codeNumber = (code: Code): ErrorCode => ErrorCode[`ERROR_CODE_${code}`];

/** The code of a number from a batch response; undefined for 0, which means success. */
export const codeFromNumber = (number: number): Code | undefined =>
  number === 0 ? undefined : (codeByNumber.get(number) ?? 'INTERNAL_ERROR');
