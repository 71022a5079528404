// Room: turns errors into HTTP answers, also for input that is not valid HTTP. Other rooms decide what is an error.

import { STATUS_CODES } from 'node:http';
import type { FastifyError } from 'fastify';
import Type from 'typebox';
import { type Code, GoChatError, httpStatus, messageOf } from '../../../lib/errors.ts';
import { MisdirectedError } from '../door/hosts.ts';
import { fieldErrorOf } from '../validation/validator.ts';

/** RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URN that names the kind of problem' }),
    title: Type.String(),
    status: Type.Integer({ description: 'The HTTP status' }),
    detail: Type.String({ description: 'What is wrong, for people' }),
    code: Type.String({ description: 'What is wrong, for programs' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
        description: 'The fields that are wrong, by their path in the request',
      }),
    ),
  },
  { $id: 'Problem' },
);

/** Answered with 416: the request is valid, but the file ends before the part that it asks for. */
export class BeyondEndError extends GoChatError {
  constructor() {
    super('INVALID_ARGUMENT', 'The file ends before the part that Range asks for.');
  }
}

export type ProblemAnswer = { status: number; headers: Record<string, string>; body: string };

/** Converts an error into a REST answer. An internal fault gets a general text, which reveals nothing of the system. */
export function toProblem(error: GoChatError): ProblemAnswer {
  const status = statusOf(error);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
  };
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="gochat"';
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  } else if (error.code === 'RATE_LIMITED' || error.code === 'UNAVAILABLE') {
    headers['retry-after'] = '1';
  }
  const body = JSON.stringify({
    type: `urn:gochat:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: title(error.code),
    status,
    detail: error.code === 'INTERNAL_ERROR' ? messageOf(undefined) : error.message,
    code: error.code,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
  });
  return { status, headers, body };
}

/** Two errors have a status of their own, which no other error with their code has. */
function statusOf(error: GoChatError): number {
  if (error instanceof MisdirectedError) return 421;
  return error instanceof BeyondEndError ? 416 : httpStatus(error.code);
}

/** "CONVERSATION_NOT_FOUND" → "Conversation not found". */
function title(code: Code): string {
  if (code === 'INTERNAL_ERROR') return STATUS_CODES[500] ?? 'Internal Server Error';
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words[0]?.toUpperCase() + words.slice(1);
}

/** Converts an error thrown by Fastify or a handler into a GoChatError. Undefined for an internal fault. */
export function fromThrown(error: unknown): GoChatError | undefined {
  if (error instanceof GoChatError) return error;
  if (!isFrameworkError(error)) return undefined;
  if (error.validation) return invalidField(error);
  const known = frameworkErrors[error.code];
  if (known) return new GoChatError(known[0], known[1]);
  const clientFault = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  return clientFault ? new GoChatError('INVALID_ARGUMENT', 'The request cannot be understood.') : undefined;
}

const frameworkErrors: Record<string, readonly [Code, string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'A request body may have up to 1 MiB.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'INVALID_ARGUMENT',
    'The length of the body differs from Content-Length.',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_ARGUMENT', 'The body is not JSON.'],
};

const isFrameworkError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

function invalidField(error: FastifyError): GoChatError {
  const [first] = error.validation ?? [];
  if (!first) return new GoChatError('INVALID_ARGUMENT', 'The request is not valid.');
  const field = fieldErrorOf(first);
  const subject = field.path || (error.validationContext === 'body' ? 'The body' : 'The request');
  return new GoChatError('INVALID_ARGUMENT', `${subject} ${field.message}.`, field.path ? [field] : []);
}
