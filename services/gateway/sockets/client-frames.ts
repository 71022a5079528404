import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { GoChatError } from '../../../lib/errors.ts';
import { checkContentSize } from '../validation/content.ts';
import * as fields from '../validation/fields.ts';
import { formatSentences } from '../validation/formats.ts';
import { conversationId } from '../validation/ids.ts';

/** What clients send: the `data` of each frame type. */
export const clientFrames = {
  'send-message': Type.Object({
    conversationId: fields.id,
    clientMsgId: fields.clientMsgId,
    content: fields.content,
    messageType: Type.Optional(fields.messageType),
    replyToSeqId: Type.Optional(fields.replyToSeqId),
    mentions: Type.Optional(fields.mentions),
  }),
  'mark-read': Type.Object({ conversationId: fields.id, seqId: fields.seqId }),
  typing: Type.Object({ conversationId: fields.id }),
};

export type SendMessage = Static<(typeof clientFrames)['send-message']>;
export type MarkRead = Static<(typeof clientFrames)['mark-read']>;
export type Typing = Static<(typeof clientFrames)['typing']>;

export type ClientFrame =
  | { type: 'send-message'; data: SendMessage }
  | { type: 'mark-read'; data: MarkRead }
  | { type: 'typing'; data: Typing }
  | { type: 'ping' };

/** What a frame turned out to be. `malformed` frames count against the session; `invalid` ones are only refused. */
export type ParsedFrame =
  | { kind: 'frame'; frame: ClientFrame }
  | { kind: 'invalid'; error: GoChatError; clientMsgId?: string }
  | { kind: 'malformed'; error: GoChatError; clientMsgId?: string };

const validators = {
  'send-message': Compile(clientFrames['send-message']),
  'mark-read': Compile(clientFrames['mark-read']),
  typing: Compile(clientFrames.typing),
};

export function parseFrame(text: string): ParsedFrame {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return malformed('A frame is one JSON object.');
  }
  if (!isObject(parsed)) return malformed('A frame is one JSON object.');
  const { type, data } = parsed;
  const clientMsgId = isObject(data) && typeof data.clientMsgId === 'string' ? data.clientMsgId : undefined;
  const about = clientMsgId === undefined ? {} : { clientMsgId };
  try {
    switch (type) {
      case 'ping':
        return { kind: 'frame', frame: { type } };
      case 'send-message':
        return { kind: 'frame', frame: { type, data: message(data) } };
      case 'mark-read':
        if (!validators[type].Check(data)) throw invalidData(validators[type].Errors(data));
        conversationId(data.conversationId);
        return { kind: 'frame', frame: { type, data } };
      case 'typing':
        if (!validators[type].Check(data)) throw invalidData(validators[type].Errors(data));
        conversationId(data.conversationId);
        return { kind: 'frame', frame: { type, data } };
      default:
        return { ...malformed('There is no such frame type.'), ...about };
    }
  } catch (error) {
    if (error instanceof GoChatError) return { kind: 'invalid', error, ...about };
    throw error;
  }
}

function message(data: unknown): SendMessage {
  const validator = validators['send-message'];
  if (!validator.Check(data)) throw invalidData(validator.Errors(data));
  checkContentSize(data.content);
  conversationId(data.conversationId);
  return data;
}

const malformed = (sentence: string): ParsedFrame => ({
  kind: 'malformed',
  error: new GoChatError('INVALID_ARGUMENT', sentence),
});

type ValidationErrors = readonly { keyword: string; instancePath: string; params: object; message: string }[];

function invalidData(errors: ValidationErrors): GoChatError {
  const [first] = errors;
  if (!first) return new GoChatError('INVALID_ARGUMENT', 'data is not valid.');
  const { format, requiredProperties } = first.params as { format?: string; requiredProperties?: string[] };
  const path = ['data', ...first.instancePath.split('/').slice(1), ...(requiredProperties ?? []).slice(0, 1)];
  const predicate = requiredProperties ? 'is required' : (formatSentences[format ?? ''] ?? first.message);
  return new GoChatError('INVALID_ARGUMENT', `${path.join('/')} ${predicate}.`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
