import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { codeOf, type FieldError, fault, GoChatError, grpcStatus, isCode, messageOf } from '../errors.ts';
import { unreachable } from './definition.ts';

/** gRPC metadata keys of an error: its code, and its field errors as JSON. */
const codeKey = 'gochat-code';
const fieldsKey = 'gochat-fields-bin';
/** Milliseconds. */
const retryAfterKey = 'gochat-retry-after';
/** Set if the service refused the caller's token, to distinguish the refusal from a user's failed sign-in. */
const tokenRefusalKey = 'gochat-stranger';

/** The gRPC answer for an error: the matching status, with the code in the metadata. */
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

/** The gRPC answer to a caller without the token. */
export function tokenRefusal(): Partial<StatusObject> {
  const refused = toServiceError(
    new GoChatError('UNAUTHENTICATED', 'This service accepts only calls with its token.'),
  );
  refused.metadata.set(tokenRefusalKey, '1');
  return refused;
}

/** True if the service refused this process's token: an error in the configuration, which the caller did not cause. */
export const isTokenRefusal = ({ metadata }: ServiceError): boolean =>
  (metadata?.get(tokenRefusalKey).length ?? 0) > 0;

/** Converts the error of a failed gRPC call to a GoChatError. */
export function toGoChatError(error: ServiceError): GoChatError {
  if (isTokenRefusal(error)) return unreachable();
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
