import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { generateSource } from 'oazapfts';
import { testApp } from '../../../../test/support/gateway/gateway-app.ts';

const root = resolve(import.meta.dirname, '../../../..');
const cache = join(root, 'node_modules/.cache');
let folder: string;

before(async () => {
  // The generated code finds its runtime here.
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'gochat-client-'));
  const { app } = await testApp();
  writeFileSync(join(folder, 'openapi.json'), (await app.inject({ url: '/openapi.json' })).body);
  writeFileSync(join(folder, 'client.ts'), await generateSource(join(folder, 'openapi.json')));
});

after(() => rmSync(folder, { recursive: true }));

/** Compiles a program that uses the generated client. Returns the compiler errors, or an empty text. */
function compile(name: string, program: string): Promise<string> {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, program);
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024', '--ignoreConfig'];
  const modules = ['--module', 'nodenext', '--allowImportingTsExtensions'];
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...modules, file],
      (_, stdout, stderr) => done(stdout + stderr),
    );
  });
}

test('a client generated from the OpenAPI document compiles, and has the types of requests and answers', async () => {
  const program = `
    import { createConversation, createGuest, deleteAccount, listConversations, sendMessage } from './client.ts';
    const sent = await sendMessage('5', { clientMsgId: 'a', content: 'hello', messageType: 1 });
    if (sent.status === 201 || sent.status === 200) sent.data.message.seqId satisfies number;
    if (sent.status === 403) sent.data.code satisfies string;
    const page = await listConversations({ limit: 10 });
    if (page.status === 200) page.data.conversations[0]?.lastMessage?.content satisfies string | undefined;
    await createConversation({ type: 2, name: 'Climbing', memberIds: [] }, { idempotencyKey: 'k' });
    await createGuest();
    await deleteAccount();
  `;
  assert.equal(await compile('right', program), '');
});

test('the generated client refuses what the document refuses', async () => {
  const program = `
    import { createConversation, sendMessage } from './client.ts';
    await createConversation({ type: 2, memberIds: [] });
    await sendMessage('5', { clientMsgId: 'a' });
  `;
  const errors = (await compile('wrong', program)).match(/wrong\.ts/g) ?? [];
  assert.equal(errors.length, 2);
});
