import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { type WorkflowBundle, workflowBundle } from '../../services/task/temporal/workflow-bundle.ts';
import { branches } from './branches.ts';

const histories = readdirSync(join(import.meta.dirname, 'histories')).filter((file) =>
  file.endsWith('.json'),
);
let bundle: WorkflowBundle;

Runtime.install({
  logger: new DefaultLogger('ERROR', () => undefined),
  telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
});

before(async () => {
  bundle = await workflowBundle(process.env.WORKFLOW_BUNDLE_FILE ?? '');
});

/** What replaying the histories of some files with a bundle complains about, by file. */
async function complaints(of: WorkflowBundle, files: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const recorded = files.map((file) => ({
    workflowId: file,
    history: JSON.parse(readFileSync(join(import.meta.dirname, 'histories', file), 'utf8')),
  }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: of }, recorded)) {
    if (error) found.set(workflowId, `${error.name}: ${error.message}`);
  }
  return found;
}

test('every branch has a recorded history', () => {
  const missing = branches.filter(({ name }) => !histories.includes(`${name}.json`));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
    'record them: node test/replay/record.ts',
  );
});

test('the current flows replay every recorded history', async () => {
  assert.deepEqual(Object.fromEntries(await complaints(bundle, histories)), {});
});

/** A bundle of a copy of the workflows, beside what they take from lib, in which `from` reads `to`. */
async function changedBundle(file: string, from: string, to: string): Promise<WorkflowBundle> {
  const root = join(import.meta.dirname, '..', '..');
  const copy = mkdtempSync(join(root, 'test', 'replay', '.changed-'));
  try {
    for (const folder of ['workflows', join('lib', 'domain')]) {
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    }
    const changed = join(copy, 'workflows', file);
    const source = readFileSync(changed, 'utf8');
    assert.ok(source.includes(from), `${file} reads otherwise by now: ${from}`);
    writeFileSync(changed, source.replace(from, to));
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(copy, 'workflows', 'index.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    return { code };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

test('a step moved in createGroup is caught', async () => {
  const changed = await changedBundle(
    'create-group/workflow.ts',
    'const checked = await steps.checkMembers({ ownerId, memberIds });',
    'await steps.discardGroup({ conversationId }); const checked = await steps.checkMembers({ ownerId, memberIds });',
  );
  const found = await complaints(changed, ['create-group.created.json']);
  assert.match(found.get('create-group.created.json') ?? '', /Determinism|Replay/);
});

test('a step left out of friendRequest is caught', async () => {
  const changed = await changedBundle(
    'friend-request/workflow.ts',
    'upsertSearchAttributes([{ key: conversationIdKey, value: opened.conversationId }]);',
    '',
  );
  const found = await complaints(changed, ['friend-request.accepted.json']);
  assert.match(found.get('friend-request.accepted.json') ?? '', /Determinism|Replay/);
});

test('another wait in fanoutMessages is caught', async () => {
  const changed = await changedBundle(
    'fanout-messages/workflow.ts',
    'if (more) woken = true;',
    'woken = true;',
  );
  const found = await complaints(changed, ['fanout-messages.silent-at-last.json']);
  assert.match(found.get('fanout-messages.silent-at-last.json') ?? '', /Determinism|Replay/);
});

test('another wait in confirmOffline is caught', async () => {
  const changed = await changedBundle(
    'confirm-offline/workflow.ts',
    'if (waitMs > 0) {',
    'if (waitMs > 60_000) {',
  );
  const found = await complaints(changed, ['confirm-offline.told.json']);
  assert.match(found.get('confirm-offline.told.json') ?? '', /Determinism|Replay/);
});

test('a page left out of cleanupExpiredStatus is caught', async () => {
  const changed = await changedBundle(
    'cleanup-expired-status/workflow.ts',
    "} else if (cursor === '') {",
    "} else if (cursor === 'b') {",
  );
  const found = await complaints(changed, ['cleanup-expired-status.by-pages.json']);
  assert.match(found.get('cleanup-expired-status.by-pages.json') ?? '', /Determinism|Replay/);
});
