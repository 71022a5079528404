import type { ValidateFunction } from 'ajv';
import { checkConversationId } from '../../../lib/domain/id-checks.ts';
import { checkContentLength } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { type ClientFrame, type ClientFrameData, clientFrames } from '../../../lib/wire/frames.ts';
import { fieldErrorOf, validatorOf } from '../validation/validator.ts';

/**
 * The result of parsing a frame. `malformed`: it is not a frame. `invalid`: its type is known, but its data does not fit
 * the type. Both count as offences of the session, separately. `refused`: it is valid, but breaks a rule; no offence.
 */
export type ParsedFrame =
  | { kind: 'frame'; frame: ClientFrame }
  | { kind: 'refused' | 'invalid' | 'malformed'; error: GoChatError; clientMsgId?: string };

const isSendMessage = validatorOf<ClientFrameData['send-message']>(clientFrames['send-message'].data);
const isMarkRead = validatorOf<ClientFrameData['mark-read']>(clientFrames['mark-read'].data);
const isTyping = validatorOf<ClientFrameData['typing']>(clientFrames.typing.data);

export function parseFrame(text: string): ParsedFrame {
  if (isDeep(text)) return malformed(`A frame nests up to ${maxDepth} levels.`);
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
        if (!isSendMessage(data)) return { ...invalid(isSendMessage), ...about };
        checkContentLength(data.content);
        checkConversationId(data.conversationId);
        return { kind: 'frame', frame: { type, data } };
      case 'mark-read':
        if (!isMarkRead(data)) return invalid(isMarkRead);
        checkConversationId(data.conversationId);
        return { kind: 'frame', frame: { type, data } };
      case 'typing':
        if (!isTyping(data)) return invalid(isTyping);
        checkConversationId(data.conversationId);
        return { kind: 'frame', frame: { type, data } };
      default:
        return { ...malformed('There is no such frame type.'), ...about };
    }
  } catch (error) {
    if (error instanceof GoChatError) return { kind: 'refused', error, ...about };
    throw error;
  }
}

const maxDepth = 64;
/** Up to this length, a frame costs little to parse, however deep it nests. */
const shallowLength = 4096;

/** True if a long frame nests too deep. Checked before it is parsed, because 64 KiB of brackets are thousands of objects. */
function isDeep(text: string): boolean {
  if (text.length <= shallowLength) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) at = endOfString(text, at + 1);
    else if (character === openBrace || character === openBracket) depth += 1;
    else if (character === closeBrace || character === closeBracket) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [...'"\\{}[]'].map((c) =>
  c.charCodeAt(0),
);

/** The position of the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === quote) return at;
    at += character === backslash ? 2 : 1;
  }
  return at;
}

const malformed = (sentence: string): ParsedFrame => ({
  kind: 'malformed',
  error: new GoChatError('INVALID_ARGUMENT', sentence),
});

function invalid({ errors }: ValidateFunction): ParsedFrame {
  const [first] = errors ?? [];
  const { path, message } = first ? fieldErrorOf(first) : { path: '', message: 'is not valid' };
  const field = ['data', ...(path ? [path] : [])].join('/');
  return { kind: 'invalid', error: new GoChatError('INVALID_ARGUMENT', `${field} ${message}.`) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
