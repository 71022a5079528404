import { type Code, GoChatError, httpStatus } from '../../../../lib/errors.ts';
import { MisdirectedError } from '../../door/hosts.ts';
import { BeyondEndError, toProblem } from '../../problems/problem.ts';

/** The meaning of each code, for the descriptions of the document and for `detail` in its examples. */
const sentences: Record<Code, string> = {
  INVALID_ARGUMENT: 'The request is malformed, or a field is not valid; `errors` names the field.',
  UNAUTHENTICATED: 'The access token is missing, wrong, expired or revoked.',
  PERMISSION_DENIED: 'You may not do this.',
  GUEST_NOT_ALLOWED: 'Guests cannot do this. Register first.',
  NOT_CONVERSATION_MEMBER: 'You are not a member of this conversation.',
  NOT_FRIENDS: 'You are not friends.',
  BLOCKED: 'One of you blocked the other.',
  MEMBER_MUTED: 'You are muted in this conversation.',
  USER_NOT_FOUND: 'There is no such user.',
  CONVERSATION_NOT_FOUND: 'There is no such conversation.',
  MESSAGE_NOT_FOUND: 'There is no such message.',
  REQUEST_NOT_FOUND: 'There is no such friend request.',
  USERNAME_TAKEN: 'This username is in use.',
  ALREADY_FRIENDS: 'You are friends already.',
  REQUEST_ALREADY_HANDLED: 'This friend request is not pending any more.',
  GROUP_FULL: 'The group has no room for so many members.',
  EDIT_EXPIRED: 'The time in which a message can be edited has passed.',
  REACTION_LIMIT: 'The message has as many kinds of reactions as it can have.',
  PIN_LIMIT: 'The conversation has as many pinned messages as it can have.',
  RECALL_EXPIRED: 'The time in which a message can be recalled has passed.',
  IDEMPOTENCY_MISMATCH: 'This Idempotency-Key was used with another body.',
  MESSAGE_TOO_LARGE: 'The content has more than 4,000 characters.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 1 MiB, or the file is larger than allowed.',
  QUOTA_EXCEEDED: 'Your files take more room than you have.',
  NOT_FOUND: 'There is no such route, or no such file.',
  METHOD_NOT_ALLOWED: 'This route does not take this method.',
  UNSUPPORTED_MEDIA_TYPE:
    'The body is not application/json (of a file: multipart/form-data), or it is compressed.',
  RATE_LIMITED: 'There were too many requests. Send the same request again after Retry-After.',
  INTERNAL_ERROR: 'Something went wrong in the system. Send the same request again.',
  UNAVAILABLE: 'A part of the system cannot be reached. Send the same request again after Retry-After.',
};

/** The properties of a route on which its general errors depend. */
export type RouteKind = {
  method: string;
  /** The route needs no access token. */
  isPublic: boolean;
  /** The route is a probe for monitoring, which has no rate limit and answers for any host name. */
  isProbe: boolean;
  takesIdempotencyKey: boolean;
  /** The route answers parts of files. */
  takesRange?: boolean;
};

/** The codes that every route of a kind can answer with. */
function codesOf({ method, isPublic, isProbe, takesIdempotencyKey }: RouteKind): Code[] {
  if (isProbe) return ['INVALID_ARGUMENT', 'INTERNAL_ERROR'];
  return [
    'INVALID_ARGUMENT',
    ...(isPublic ? [] : (['UNAUTHENTICATED'] as const)),
    ...(takesIdempotencyKey ? (['IDEMPOTENCY_MISMATCH'] as const) : []),
    ...(method === 'GET' ? [] : (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
    ...(['RATE_LIMITED', 'INTERNAL_ERROR', 'UNAVAILABLE'] as const),
  ];
}

const misdirected = 'Misdirected';
const beyondEnd = 'BeyondEnd';

/** A route's error answers by status: a reference to a shared answer, or its own if several codes share the status. */
export function problemResponses(kind: RouteKind, special: readonly Code[] = []): Record<string, object> {
  const byStatus = Map.groupBy(new Set([...codesOf(kind), ...special]), httpStatus);
  const responses = Array.from(byStatus, ([status, codes]) => [status, responseOf(status, codes)] as const);
  return {
    ...Object.fromEntries(responses),
    ...(kind.takesRange ? { 416: reference(beyondEnd) } : {}),
    ...(kind.isProbe ? {} : { 421: reference(misdirected) }),
  };
}

function responseOf(status: number, codes: readonly Code[]): object {
  const [only, ...others] = codes;
  return only !== undefined && others.length === 0 ? reference(nameOf(only)) : problemOf(status, codes);
}

const headersOf: Record<number, object> = {
  401: { 'WWW-Authenticate': { $ref: '#/components/headers/WwwAuthenticate' } },
  429: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
  503: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
};

/** The answers that routes refer to, each under the name of its code. */
export const sharedResponses: Record<string, object> = {
  ...Object.fromEntries(
    Object.keys(sentences).map((key) => {
      const code = key as Code;
      return [nameOf(code), problemOf(httpStatus(code), [code])];
    }),
  ),
  [misdirected]: {
    description: 'This gateway does not answer for the host that the Host header names (ALLOWED_HOSTS).',
    content: problemContent({ example: bodyOf(new MisdirectedError()) }),
  },
  [beyondEnd]: {
    description: 'The file ends before the part that Range asks for; Content-Range tells its size.',
    headers: {
      'Content-Range': {
        description: 'The size of the file',
        required: true,
        schema: { type: 'string' },
        example: 'bytes */2481152',
      },
    },
    content: problemContent({ example: bodyOf(new BeyondEndError()) }),
  },
};

export const sharedHeaders = {
  RetryAfter: {
    description: 'Seconds after which the same request may succeed',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 5,
  },
  WwwAuthenticate: {
    description: 'The scheme of the token that is missing',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="gochat"',
  },
};

function problemOf(status: number, codes: readonly Code[]): object {
  const headers = headersOf[status];
  const examples = codes.map((code) => [code, { value: bodyOf(new GoChatError(code, sentences[code])) }]);
  return {
    description: codes.map((code) => `\`${code}\`: ${sentences[code]}`).join('\n\n'),
    ...(headers === undefined ? {} : { headers }),
    content: problemContent({ examples: Object.fromEntries(examples) }),
  };
}

function problemContent(example: object): object {
  return { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, ...example } };
}

function bodyOf(error: GoChatError): unknown {
  return JSON.parse(toProblem(error).body);
}

/** USER_NOT_FOUND → UserNotFound. */
function nameOf(code: Code): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

const reference = (name: string) => ({ $ref: `#/components/responses/${name}` });
