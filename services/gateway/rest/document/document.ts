// Room: the parts of the OpenAPI document that all routes share: general information, errors, headers and examples. The
// schemas of single routes are in rest/routes; no route imports this folder.

import { STATUS_CODES } from 'node:http';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { Code } from '../../../../lib/errors.ts';
import { exampleOf, sharedExamples } from './examples.ts';
import { describeFormats } from './formats.ts';
import { problemResponses, type RouteKind, sharedHeaders, sharedResponses } from './problems.ts';

/** Keywords of an object's schema, including the schemas of its fields. */
export type Fields = { properties?: Record<string, object>; required?: string[]; [keyword: string]: unknown };

declare module 'fastify' {
  interface FastifySchema {
    /** Error codes of this route, in addition to those that all routes of its kind have. */
    errors?: readonly Code[];
    /** Checks that the handler makes of the body beyond its schema: as keywords, or as keywords per variant. */
    bodyRules?: Fields | Fields[];
  }
}

const description = `GoChat over HTTP. The WebSocket at \`/ws\` is described in [/asyncapi.json](/asyncapi.json).

- **Errors** are \`application/problem+json\` (RFC 9457). Programs look at \`code\`; \`detail\` is for people.
  A route that does not exist answers 404 \`NOT_FOUND\`; a method that a route does not take answers 405
  \`METHOD_NOT_ALLOWED\` and names the others in \`Allow\`.
- **Text** is well-formed Unicode. Lengths count code points. Ids are opaque strings. Times are Unix milliseconds.
- **Fields** that a request does not know are ignored. Numbers out of range and wrong types are refused.
- **Repeats**: a POST that takes \`Idempotency-Key\` carries a request out once per key and user. A repeat within 24 hours
  gets the first status and the same resource as it is now.
- **Lists** answer \`nextCursor\` where there is more. Send it as \`cursor\` to get the next page.
- **Names** of users are in \`username\` (unique) and \`displayName\` (what people see).`;

/** The parts of the document that do not depend on a route. */
export const openapi: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'GoChat',
    version: '1.0.0',
    summary: 'A self-hosted chat back end',
    description,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/', description: 'The gateway that serves this document' }],
  tags: [
    { name: 'Accounts', description: 'Sign up, sign in, tokens and login sessions' },
    { name: 'Users', description: 'Profiles, settings and search' },
    { name: 'Friends', description: 'Friend requests and friends' },
    { name: 'Blocks', description: 'Users who may not reach you' },
    { name: 'Conversations', description: 'Single conversations, groups and the world room' },
    { name: 'Members', description: 'Who belongs to a conversation, and their roles' },
    { name: 'Messages', description: 'History, sending, recalling and catching up' },
    { name: 'Files', description: 'Uploading and reading files and pictures' },
    { name: 'Health', description: 'Probes for whatever runs this gateway' },
  ],
  components: {
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `accessToken` of a session',
      },
    },
  },
  security: [{ bearer: [] }],
};

/** What the document needs to know about a route in addition to its schema. */
export type RouteFacts = RouteKind & { errors?: readonly Code[] | undefined };

type Media = { schema: object; example?: unknown };
type Answer = { description?: string; headers?: object; content?: Record<string, Media> };
type Operation = {
  parameters?: object[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, Answer>;
};
type Document = {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, object>; responses?: object; headers?: object };
};

/** Completes the document generated from the routes' schemas. `factsOf` takes a method and a path with {braces}. */
export function completeDocument<D extends object>(
  generated: D,
  factsOf: (method: string, path: string) => RouteFacts | undefined,
): D {
  const document = describeFormats(generated) as D & Document;
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const facts = factsOf(method.toUpperCase(), path);
      if (facts) completeOperation(operation, facts);
    }
  }
  const schemas = document.components?.schemas ?? {};
  for (const [name, schema] of Object.entries(schemas)) {
    if (name in sharedExamples) Object.assign(schema, { examples: [sharedExamples[name]] });
  }
  document.components = {
    ...document.components,
    responses: usedResponses(sharedResponses, document.paths),
    headers: sharedHeaders,
  };
  return document;
}

/** A body's schema with further keywords, or with one variant per set of keywords. */
export function withRules(body: Fields, rules: Fields | Fields[]): object {
  return Array.isArray(rules)
    ? { anyOf: rules.map((variant) => merged(body, variant)) }
    : merged(body, rules);
}

/** A schema with further keywords, also for its fields. */
function merged(schema: Fields, { properties = {}, required = [], ...more }: Fields): object {
  const fields = Object.entries(properties).map(([name, rules]) => [
    name,
    { ...schema.properties?.[name], ...rules },
  ]);
  return {
    ...schema,
    ...more,
    properties: { ...schema.properties, ...Object.fromEntries(fields) },
    required: [...(schema.required ?? []), ...required],
  };
}

/** The description that @fastify/swagger gives to an answer without one. */
const undescribed = 'Default Response';

function completeOperation(operation: Operation, facts: RouteFacts): void {
  const { requestBody, responses } = operation;
  if (requestBody) {
    requestBody.required = !Object.values(requestBody.content).some(({ schema }) => isOptionalBody(schema));
    addExample(requestBody.content);
  }
  for (const [status, answer] of Object.entries(responses)) {
    addExample(answer.content);
    if (answer.description === undescribed) answer.description = STATUS_CODES[status] ?? status;
  }
  if (facts.takesIdempotencyKey) addIdempotencyKey(operation);
  if ('304' in responses) addEtag(operation);
  // The answers that a route defines itself, such as the 503 of a probe, replace the general problems.
  operation.responses = { ...problemResponses(facts, facts.errors), ...responses };
}

function addExample(content: Record<string, Media> = {}): void {
  for (const media of Object.values(content)) media.example ??= exampleOf(media.schema);
}

/** True if the body of a request may be left out. */
const isOptionalBody = (schema: object): boolean =>
  'anyOf' in schema && JSON.stringify(schema.anyOf).includes('{"type":"null"');

function addIdempotencyKey(operation: Operation): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      description: 'Makes repeats of this request safe: a fresh one for each new request, such as a UUID.',
      schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
      example: '6b1f2a52-7c3e-4d0a-9d7b-0e6a3a8f2f11',
    },
  ];
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (!status.startsWith('2')) continue;
    answer.headers = {
      'Idempotency-Replayed': {
        description: '`true` where this answer repeats an earlier one',
        schema: { type: 'string', const: 'true' },
      },
    };
  }
}

function addEtag(operation: Operation): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'If-None-Match',
      in: 'header',
      description:
        'The `ETag` of the page that you hold. While it is unchanged, the answer is 304 without a body.',
      schema: { type: 'string' },
      example: 'W/"c3ab8ff13720e8ad"',
    },
  ];
  const headers = {
    ETag: {
      description: 'Names this state of the page',
      required: true,
      schema: { type: 'string', pattern: '^W/"[\\w-]+"$' },
      example: 'W/"c3ab8ff13720e8ad"',
    },
  };
  for (const status of ['200', '304']) Object.assign(operation.responses[status] ?? {}, { headers });
}

/** The shared responses to which a path refers. */
function usedResponses(shared: Record<string, object>, paths: unknown): Record<string, object> {
  const text = JSON.stringify(paths);
  return Object.fromEntries(
    Object.entries(shared).filter(([name]) => text.includes(`"#/components/responses/${name}"`)),
  );
}
