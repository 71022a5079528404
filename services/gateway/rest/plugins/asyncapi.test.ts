import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { closeCodes } from '../../../../lib/wire/close-codes.ts';
import { clientFrames, serverFrames } from '../../../../lib/wire/frames.ts';
import { asyncapi } from './asyncapi.ts';

type Operation = keyof typeof asyncapi.operations;

/** The document after serialisation, as clients get it. */
const document: typeof asyncapi = JSON.parse(JSON.stringify(asyncapi));

const typesOf = (operation: Operation) =>
  document.operations[operation].messages.map(({ $ref }) => $ref.replace('#/channels/ws/messages/', ''));

/** The part of the document to which a reference points. */
function find($ref: string): unknown {
  const path = $ref.replace('#/', '').split('/');
  return path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], document);
}

function referencesIn(part: unknown): string[] {
  if (part === null || typeof part !== 'object') return [];
  const { $ref } = part as { $ref?: unknown };
  return [...(typeof $ref === 'string' ? [$ref] : []), ...Object.values(part).flatMap(referencesIn)];
}

test('the document lists every frame of both directions, each with a description', () => {
  assert.deepEqual(typesOf('toClient'), Object.keys(serverFrames));
  assert.deepEqual(typesOf('fromClient'), Object.keys(clientFrames));
  for (const { name, summary } of Object.values(document.channels.ws.messages)) {
    assert.match(summary, /^[A-Z].+\.$/s, name);
  }
});

test('every reference of the document resolves, and no shape is written twice', () => {
  const references = referencesIn(document);
  assert.ok(references.includes('#/components/schemas/Message'));
  for (const reference of references) assert.ok(find(reference), reference);
  assert.doesNotMatch(JSON.stringify(document), /"\$id"/);
});

test('every close code is documented, with the reaction expected of a client', () => {
  for (const { code, description } of Object.values(closeCodes)) {
    assert.match(document.info.description, new RegExp(`\\| ${code} \\|`));
    assert.ok(document.info.description.includes(description));
  }
});

test('the document accepts valid frames and refuses others', () => {
  const ajv = new Ajv({ strict: false, formats: { text: true, 'client-msg-id': true } });
  ajv.addSchema({ $id: 'document', components: document.components });
  const fits = (type: string, frame: object) => {
    const { payload } = document.channels.ws.messages[type] ?? {};
    const absolute = JSON.parse(JSON.stringify(payload).replaceAll('"#/components', '"document#/components'));
    return ajv.validate(absolute, frame);
  };
  const message = {
    id: 1,
    conversationId: '9',
    seqId: 1,
    sender: { id: '7', username: 'seven', displayName: 'Seven', avatarUrl: '' },
    messageType: 1,
    content: 'hello',
    clientMsgId: 'm1',
    deleted: false,
    createdAt: 1,
    changeSeq: 0,
  };
  const frame = { type: 'new-message', data: message, timestamp: 1 };
  assert.equal(fits('new-message', frame), true, ajv.errorsText());
  assert.equal(fits('new-message', { ...frame, data: { ...message, seqId: '1' } }), false);
  assert.equal(fits('new-message', { type: 'new-message' }), false);
  assert.equal(fits('pong', { type: 'pong', timestamp: 1 }), true);
});
