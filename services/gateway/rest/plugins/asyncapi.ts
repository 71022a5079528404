import { closeCodes } from '../../../../lib/wire/close-codes.ts';
import { clientFrames, serverFrames } from '../../../../lib/wire/frames.ts';

/** Named schemas to which frames refer. Filled by `named`. */
const shapes: Record<string, unknown> = {};

const fromClient = Object.entries(clientFrames).map(([type, kind]) => messageOf(type, kind));
const fromServer = Object.entries(serverFrames).map(([type, kind]) => messageOf(type, kind));

/** The WebSocket protocol as an AsyncAPI document: every frame of `lib/wire/frames.ts`, and why sockets are closed. */
export const asyncapi = {
  asyncapi: '3.0.0',
  info: {
    title: 'GoChat WebSocket',
    version: '1.0.0',
    description: `One JSON object per frame: \`{type, data?, timestamp?}\`, up to 64 KiB, as text. A client sends its access
token as \`?token=\`, or as the subprotocols \`gochat.v1, bearer.<token>\`, which keep it out of the URL. Clients ignore fields
and frames that they do not know.

A refused handshake gets an HTTP status and a problem document: 401 no valid token, 403 pages of this origin may not connect,
421 another host, 429 too many sockets of the user or the address, 503 the gateway is full or stopping.

The gateway closes a socket with one of these codes:

| code | reason | what it means, and what to do |
| --- | --- | --- |
${Object.values(closeCodes)
  .map(({ code, reason, description }) => `| ${code} | ${reason} | ${description} |`)
  .join('\n')}
`,
  },
  servers: { gateway: { host: '127.0.0.1:8080', protocol: 'ws' } },
  defaultContentType: 'application/json',
  channels: {
    ws: {
      address: '/ws',
      description:
        'A session of a user. The first frame is welcome. A user may have several sessions at once.',
      messages: Object.fromEntries([...fromClient, ...fromServer].map((message) => [message.name, message])),
      bindings: {
        ws: {
          method: 'GET',
          query: {
            type: 'object',
            properties: {
              token: { type: 'string', description: 'The access token, unless a subprotocol has it' },
            },
          },
        },
      },
      'x-close-codes': Object.values(closeCodes),
    },
  },
  operations: {
    fromClient: {
      action: 'receive',
      summary: 'What a client may send',
      channel: { $ref: '#/channels/ws' },
      messages: fromClient.map(reference),
    },
    toClient: {
      action: 'send',
      summary: 'What the server sends',
      channel: { $ref: '#/channels/ws' },
      messages: fromServer.map(reference),
    },
  },
  components: { schemas: shapes },
};

function messageOf(type: string, { description, data }: { description: string; data?: object }) {
  return {
    name: type,
    title: type,
    summary: description,
    payload: {
      type: 'object',
      required: data ? ['type', 'data'] : ['type'],
      properties: {
        type: { type: 'string', const: type },
        ...(data ? { data: named(data) } : {}),
        timestamp: { type: 'integer', description: 'When the frame was made, Unix milliseconds' },
      },
    },
  };
}

/** Copies a schema, and replaces every schema with an $id by a reference to its copy in `shapes`. */
function named(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(named);
  if (schema === null || typeof schema !== 'object') return schema;
  const { $id, ...rest } = schema as Record<string, unknown>;
  const copy = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, named(part)]));
  if (typeof $id !== 'string') return copy;
  shapes[$id] = copy;
  return { $ref: `#/components/schemas/${$id}` };
}

function reference({ name }: { name: string }) {
  return { $ref: `#/channels/ws/messages/${name}` };
}
