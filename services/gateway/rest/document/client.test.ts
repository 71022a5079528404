import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { generateSource } from 'oazapfts';
import { testApp } from '../../../../test/support/gateway/gateway-app.ts';

const root = resolve(import.meta.dirname, '../../../..');
const cache = join(root, 'node_modules/.cache');

const programs = {
  right: `
    import { createConversation, createGuest, deleteAccount, listConversations, sendMessage } from './client.ts';
    const sent = await sendMessage('5', { clientMsgId: 'a', content: 'hello', messageType: 1 });
    if (sent.status === 201 || sent.status === 200) sent.data.message.seqId satisfies number;
    if (sent.status === 403) sent.data.code satisfies string;
    const page = await listConversations({ limit: 10 });
    if (page.status === 200) page.data.conversations[0]?.lastMessage?.content satisfies string | undefined;
    await createConversation({ type: 2, name: 'Climbing', memberIds: [] }, { idempotencyKey: 'k' });
    await createGuest();
    await deleteAccount();
  `,
  wrong: `
    import { createConversation, sendMessage } from './client.ts';
    await createConversation({ type: 2, memberIds: [] });
    await sendMessage('5', { clientMsgId: 'a' });
  `,
};
let folder: string;
/** The errors of the compiler, one per line. */
let errors: string[];

before(async () => {
  // The generated code finds its runtime here.
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'gochat-client-'));
  const { app } = await testApp();
  writeFileSync(join(folder, 'openapi.json'), (await app.inject({ url: '/openapi.json' })).body);
  writeFileSync(join(folder, 'client.ts'), await generateSource(join(folder, 'openapi.json')));
  const files = Object.entries(programs).map(([name, program]) => {
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, program);
    return file;
  });
  errors = await compile(files);
});

after(() => rmSync(folder, { recursive: true }));

/** Compiles programs that use the generated client. One run of the compiler reads the libraries once. */
function compile(files: readonly string[]): Promise<string[]> {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024', '--ignoreConfig'];
  const modules = ['--module', 'nodenext', '--allowImportingTsExtensions', '--pretty', 'false'];
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...modules, ...files],
      (_, stdout, stderr) => done((stdout + stderr).split('\n').filter((line) => /^\S/.test(line))),
    );
  });
}

test('a client generated from the OpenAPI document compiles, and has the types of requests and answers', () => {
  assert.deepEqual(
    errors.filter((line) => !line.includes('wrong.ts')),
    [],
  );
});

test('the generated client refuses what the document refuses', () => {
  assert.equal(errors.filter((line) => line.includes('wrong.ts')).length, 2);
});
