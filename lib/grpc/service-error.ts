import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { codeOf, type FieldError, fault, GoChatError, grpcStatus, isCode, messageOf } from '../errors.ts';
import { unreachable } from './definition.ts';

/** gRPC metadata key under which an error's code travels. */
const codeKey = 'gochat-code';
const fieldsKey = 'gochat-fields-bin';
/** Milliseconds. */
const retryAfterKey = 'gochat-retry-after';
/** Set where the service took its caller for a stranger, so that nobody takes that for a sign-in that failed. */
const strangerKey = 'gochat-stranger';

/** What is answered for an error: the matching status, with the code in the metadata. */
export function toServiceError(error: unknown): Partial<StatusObject> & { metadata: Metadata } {
  const code = codeOf(error);
  const metadata = new Metadata();
  metadata.set(codeKey, code);
  if (error instanceof GoChatError && error.fields.length > 0) {
    metadata.set(fieldsKey, Buffer.from(JSON.stringify(error.fields)));
  }
  if (error instanceof GoChatError && error.retryAfterMs !== undefined) {
    metadata.set(retryAfterKey, String(Math.ceil(error.retryAfterMs)));
  }
  return { code: grpcStatus(code), details: messageOf(error), metadata };
}

/** What is answered to a caller without the token. */
export function strangerError(): Partial<StatusObject> {
  const refused = toServiceError(
    new GoChatError('UNAUTHENTICATED', 'This service takes calls with its token only.'),
  );
  refused.metadata.set(strangerKey, '1');
  return refused;
}

/** Whether the service has another token than this process: nothing that whoever waits for the call has done. */
export const isStranger = ({ metadata }: ServiceError): boolean =>
  (metadata?.get(strangerKey).length ?? 0) > 0;

/** The error that a failed call rejects with. */
export function toGoChatError(error: ServiceError): GoChatError {
  if (isStranger(error)) return unreachable();
  const code = String(error.metadata?.get(codeKey)[0] ?? '');
  if (isCode(code)) {
    return new GoChatError(code, error.details, fieldsOf(error.metadata), retryAfterOf(error.metadata));
  }
  const transient =
    error.code === status.UNAVAILABLE ||
    error.code === status.DEADLINE_EXCEEDED ||
    error.code === status.CANCELLED;
  if (transient) return unreachable();
  return fault(error);
}

function retryAfterOf(metadata: Metadata): number | undefined {
  const [value] = metadata.get(retryAfterKey);
  return value === undefined ? undefined : Number(value);
}

function fieldsOf(metadata: Metadata): FieldError[] {
  const value = metadata.get(fieldsKey)[0];
  return value instanceof Buffer ? JSON.parse(value.toString('utf8')) : [];
}
