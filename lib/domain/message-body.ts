import { Type } from 'typebox';
import { GoChatError } from '../errors.ts';
import { attachmentFault } from './attachment.ts';
import { defaultMessageType, messageType } from './enumerations.ts';
import { isId, isIdNumber } from './ids.ts';
import { isLonger, limits } from './limits.ts';
import { invalid } from './refusals.ts';

/**
 * The body of a message: the fields that its sender sets. Requests, frames, proto and caches spell them in camelCase,
 * Kafka records in snake_case. The column messages.extra holds the optional fields in snake_case too.
 */
export type MessageBody = { messageType: number; content: string; clientMsgId: string } & MessageExtra;
export type RecordBody = { message_type: number; content: string; client_msg_id: string } & RecordExtra;

/**
 * A message's metadata: a JSON object whose meaning only the sender's application knows. Clients send and get the
 * object. Services, records and storage pass it on as text, so that no hop has to build the object again.
 */
export type Metadata = Record<string, unknown>;

/** The body of a new message: the type may be missing. */
export type NewBody = Omit<MessageBody, 'messageType'> & { messageType?: number | undefined };

/** A body as clients send and get it: the metadata is an object instead of its JSON text. */
export type AsClients<Body extends MessageExtra> = Omit<Body, 'metadata'> & {
  metadata?: Metadata | undefined;
};

/**
 * The optional fields. A new field must be added to this table and to the proto messages that have a body: all schemas,
 * checks and copies of messages use this table. An empty list counts as absent.
 */
const extraFields = {
  replyToSeqId: {
    inRecords: 'reply_to_seq_id',
    schema: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'The seqId of the message that this one answers',
      }),
    ),
    /** True if a value has the field's type. */
    isValue: (value: unknown): value is number => typeof value === 'number',
    /** The rule that an invalid value breaks; undefined for a valid value. */
    fault: (seqId: number) => (isIdNumber(seqId) ? undefined : 'must be a seq id'),
  },
  mentions: {
    inRecords: 'mentions',
    schema: Type.Optional(
      Type.Array(Type.String({ maxLength: 64, examples: ['7301444403200002'] }), {
        maxItems: limits.mentions,
        description: 'Ids of the users mentioned',
      }),
    ),
    isValue: (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((one) => typeof one === 'string'),
    fault: (userIds: string[]) => {
      if (userIds.length > limits.mentions) return `must name at most ${limits.mentions} users`;
      return userIds.every(isId) ? undefined : 'must be user ids';
    },
  },
  /** JSON text, but an object in the schemas, which are those of clients. */
  metadata: {
    inRecords: 'metadata',
    schema: Type.Optional(
      Type.Unsafe<Metadata>({
        type: 'object',
        additionalProperties: true,
        description: `Any JSON object of up to ${limits.metadataBytes.toLocaleString('en-US')} bytes as text. The server does not read it.`,
        examples: [{ color: 'blue' }],
      }),
    ),
    isValue: (value: unknown): value is string => typeof value === 'string',
    /** Its size has an error code of its own, see `bodyRefusal`. */
    fault: (_text: string): string | undefined => undefined,
  },
} as const;

type Fields = typeof extraFields;
type Name = keyof Fields;
type Value<N extends Name> = Fields[N]['isValue'] extends (value: unknown) => value is infer V ? V : never;

export type MessageExtra = { [N in Name]?: Value<N> | undefined };
export type RecordExtra = { [N in Name as Fields[N]['inRecords']]?: Value<N> | undefined };

type Field = {
  inMessages: Name;
  inRecords: keyof RecordExtra;
  isValue(value: unknown): boolean;
  fault(value: unknown): string | undefined;
};
const fields = Object.entries(extraFields).map(([name, field]) => ({
  inMessages: name,
  ...field,
})) as Field[];

/** The optional fields of a proto message without any: proto represents an absent list as an empty one. */
export const noExtra = Object.fromEntries(
  Object.entries(extraFields).map(([name, { schema }]) => [
    name,
    'type' in schema && schema.type === 'array' ? [] : undefined,
  ]),
) as unknown as { [N in Name]: Value<N> extends unknown[] ? Value<N> : undefined };

/** The schemas of the optional fields, for all schemas that contain them. */
export const extraSchemas = Object.fromEntries(
  Object.entries(extraFields).map(([name, { schema }]) => [name, schema]),
) as unknown as { [N in Name]: Fields[N]['schema'] };

/**
 * The schemas of the body as clients send it. The maximum length of the content is checked separately, since it has an
 * error code of its own.
 */
export const newBodySchemas = {
  clientMsgId: Type.String({
    format: 'client-msg-id',
    description: `Chosen by the client, 1 to ${limits.clientMsgIdBytes} bytes in UTF-8. A client that sends the same message again must use the same id, so that the message is stored once.`,
    examples: ['0b54f6c1-5d0e-4c5b-9f3a-6a3f9f1b7a10'],
  }),
  content: Type.String({
    minLength: 1,
    format: 'text',
    description: `Text of up to ${limits.messageContent.toLocaleString('en-US')} characters. For an image or a file: {url, name, size, mime, width?, height?, thumbnailUrl?} as JSON.`,
    examples: ['See you at eight.'],
  }),
  /** Only operators may send type 4 (system). */
  messageType: Type.Optional(
    Type.Integer({
      minimum: messageType.text,
      maximum: messageType.file,
      default: defaultMessageType,
      description: '1 text, 2 image, 3 file',
    }),
  ),
  ...extraSchemas,
};

export const bodyOf = (message: NewBody): MessageBody => ({
  messageType: message.messageType ?? defaultMessageType,
  content: message.content,
  clientMsgId: message.clientMsgId,
  ...copyExtra<MessageExtra>(message, 'inMessages', 'inMessages'),
});

export const bodyToRecord = (message: NewBody): RecordBody => ({
  message_type: message.messageType ?? defaultMessageType,
  content: message.content,
  client_msg_id: message.clientMsgId,
  ...extraToRecord(message),
});

export const recordBodyOf = (record: RecordBody): RecordBody => ({
  message_type: record.message_type,
  content: record.content,
  client_msg_id: record.client_msg_id,
  ...copyExtra<RecordExtra>(record, 'inRecords', 'inRecords'),
});

export const bodyFromRecord = (record: RecordBody): MessageBody => ({
  messageType: record.message_type,
  content: record.content,
  clientMsgId: record.client_msg_id,
  ...extraFromRecord(record),
});

export const extraToRecord = (message: MessageExtra): RecordExtra =>
  copyExtra(message, 'inMessages', 'inRecords');

export const extraFromRecord = (record: RecordExtra): MessageExtra =>
  copyExtra(record, 'inRecords', 'inMessages');

/** Reads the body from an unchecked record; undefined if a field is missing or has a wrong type. */
export function readRecordBody(record: Record<string, unknown>): RecordBody | undefined {
  const { message_type, content, client_msg_id } = record;
  if (typeof message_type !== 'number' || typeof content !== 'string') return undefined;
  if (typeof client_msg_id !== 'string') return undefined;
  for (const { inRecords, isValue } of fields) {
    if (record[inRecords] !== undefined && !isValue(record[inRecords])) return undefined;
  }
  return {
    message_type,
    content,
    client_msg_id,
    ...copyExtra<RecordExtra>(record, 'inRecords', 'inRecords'),
  };
}

type Spelling = 'inMessages' | 'inRecords';

/** The body of a request or frame. Throws MESSAGE_TOO_LARGE if the metadata is too large. */
export const fromClient = <Body extends NewBody>(body: AsClients<Body>): Body =>
  body.metadata === undefined
    ? (body as unknown as Body)
    : ({ ...body, metadata: metadataText(body.metadata) } as unknown as Body);

/** The body as in answers and frames. */
export const toClient = <Body extends MessageExtra>(body: Body): AsClients<Body> =>
  body.metadata === undefined
    ? (body as AsClients<Body>)
    : { ...body, metadata: readMetadata(body.metadata) };

/** One shared object, since most messages have no optional field. */
const none = Object.freeze({});

function copyExtra<T extends object>(source: object, from: Spelling, to: Spelling): T {
  let extra: Record<string, unknown> | undefined;
  for (const field of fields) {
    const value = (source as Record<string, unknown>)[field[from]];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    extra ??= {};
    extra[field[to]] = value;
  }
  return (extra ?? none) as T;
}

const sentByUsers: ReadonlySet<number> = new Set([messageType.text, messageType.image, messageType.file]);

/** The error of a body that is invalid in any conversation, for any sender; undefined if the body is valid. */
export function bodyRefusal(body: MessageBody): GoChatError | undefined {
  const { messageType: type, content, clientMsgId } = body;
  if (!isClientMsgId(clientMsgId)) return invalid('clientMsgId', clientMsgIdRule);
  if (!sentByUsers.has(type)) return invalid('messageType', 'must be 1 (text), 2 (image) or 3 (file)');
  if (content === '') return invalid('content', 'must not be empty');
  if (isLonger(content, limits.messageContent)) return contentTooLong();
  if (!content.isWellFormed()) return invalid('content', 'must be well-formed Unicode');
  const fault = type === messageType.text ? undefined : attachmentFault(content);
  if (fault) return invalid(fault.path, fault.message);
  const refusal = body.metadata === undefined ? undefined : metadataRefusal(body.metadata);
  if (refusal) return refusal;
  for (const { inMessages, fault } of fields) {
    const value = body[inMessages];
    const wrong = value === undefined ? undefined : fault(value);
    if (wrong !== undefined) return invalid(inMessages, wrong);
  }
  return undefined;
}

/** Throws MESSAGE_TOO_LARGE if the content is too long. */
export function checkContentLength(content: string): void {
  if (isLonger(content, limits.messageContent)) throw contentTooLong();
}

const contentTooLong = () =>
  new GoChatError('MESSAGE_TOO_LARGE', `A message has at most ${limits.messageContent} characters.`, [
    { path: 'content', message: `must be at most ${limits.messageContent} characters` },
  ]);

/** True for a valid clientMsgId. Its length is limited in bytes, since ids are compared byte by byte. */
export function isClientMsgId(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= 1 && bytes <= limits.clientMsgIdBytes && text.isWellFormed();
}

/** The rule for a clientMsgId, worded to follow the field's name. */
export const clientMsgIdRule = `must be 1 to ${limits.clientMsgIdBytes} bytes of well-formed Unicode`;

/** The object as JSON text. Throws MESSAGE_TOO_LARGE if it is too long, or nested too deep to be written. */
export function metadataText(metadata: Metadata): string {
  const text = written(metadata);
  if (text === undefined || isTooLong(text)) throw tooLarge();
  return text;
}

function written(metadata: Metadata): string | undefined {
  try {
    return JSON.stringify(metadata);
  } catch {
    return undefined;
  }
}

const isTooLong = (text: string): boolean => Buffer.byteLength(text) > limits.metadataBytes;

export const readMetadata = (text: string): Metadata => JSON.parse(text);

/** The error of an invalid metadata text; undefined if it is valid. */
export function metadataRefusal(text: string): GoChatError | undefined {
  if (isTooLong(text)) return tooLarge();
  if (!isObjectText(text)) return invalid('metadata', 'must be a JSON object');
  // This key would change the prototype of the object that a client copies the metadata into.
  if (text.includes('"__proto__":')) return invalid('metadata', 'must not have the key __proto__');
  return undefined;
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const tooLarge = () =>
  new GoChatError('MESSAGE_TOO_LARGE', `metadata has at most ${limits.metadataBytes} bytes as JSON text.`, [
    { path: 'metadata', message: `must be at most ${limits.metadataBytes} bytes as JSON text` },
  ]);
