import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { chat, newPerson } from '../support/people/people.ts';
import { openSystemTemporal } from '../support/system-temporal.ts';

const root = join(import.meta.dirname, '..', '..');
const document = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');

type Job = { name: string; lines: string[]; output: object | undefined };

/** The jobs that the document describes: a chapter each, with its command lines and what a run answers. */
const jobs: Job[] = document
  .split(/^## /m)
  .slice(1)
  .map((chapter) => ({
    name: chapter.slice(0, chapter.indexOf('\n')),
    lines: blocks(chapter, 'sh').flatMap((block) =>
      block.split('\n').filter((line) => line.includes('temporal --')),
    ),
    output: blocks(chapter, 'json').map((block) => JSON.parse(block) as object)[0],
  }))
  .filter(({ lines }) => lines.length > 0);

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, of]) => of === language)
    .map(([, , block = '']) => block.trim());
}

const client = await openSystemTemporal();
let userId = '';
let messageId = 0;

before(async () => {
  const ann = await newPerson();
  const socket = await chat(ann);
  userId = ann.id;
  messageId = (await socket.say('1', 'to the world')).messageId;
  await socket.close();
});

/** A line of the document with ids that exist. */
const withIds = (line: string) =>
  line.replaceAll('USER_ID', userId).replaceAll('MESSAGE_ID', String(messageId));

/** Runs a line as a person would, in a shell. */
function shell(line: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd: root, env: process.env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: `${stdout}${stderr}` });
    });
  });
}

const workflowIdIn = (output: string) => /^\s*WorkflowId\s+(\S+)/m.exec(output)?.[1] ?? assert.fail(output);
const resultIn = (output: string): object =>
  JSON.parse(/^\s*Result\s+(\{.*\})$/m.exec(output)?.[1] ?? assert.fail(output));
const namesOf = (value: object | undefined) => Object.keys(value ?? {}).toSorted();

test('the document names jobs with their command lines', () => {
  assert.deepEqual(
    jobs.map(({ name }) => name),
    [
      'cleanupExpiredStatus',
      'moderateConversation',
      'purgeGuests',
      'reconcileCounters',
      'reindex',
      'archiveColdMessages',
      'compactColdMessages',
    ],
  );
});

for (const { name, lines, output: expected } of jobs) {
  for (const line of lines) {
    test(`${name}: ${line.replace('npm run temporal -- ', '')}`, { timeout: 120_000 }, async () => {
      const before = new Date();
      const { code, output } = await shell(withIds(line));
      assert.equal(code, 0, output);
      if (line.includes(' workflow execute ')) {
        assert.match(output, /Status\s+COMPLETED/);
        assert.deepEqual(namesOf(resultIn(output)), namesOf(expected), output);
      } else if (line.includes(' workflow start ')) {
        const result: object = await client.workflow.getHandle(workflowIdIn(output)).result();
        assert.deepEqual(namesOf(result), namesOf(expected));
      } else if (line.includes(' schedule trigger ')) {
        const since = `WorkflowType = "${name}" AND StartTime >= "${before.toISOString()}"`;
        await eventually(
          async () => (await client.workflow.count(`${since} AND ExecutionStatus = "Completed"`)).count > 0,
          // A run that was just going makes the schedule skip this one: then the next minute's counts.
          80_000,
        );
      } else if (line.includes(' workflow describe ')) {
        assert.match(output, /Status\s+(RUNNING|COMPLETED)/i);
      } else assert.fail('a line that this test does not know');
    });
  }
}

test('wrong input ends a job before it does anything, with a sentence', { timeout: 60_000 }, async () => {
  const run =
    'npm run temporal -- workflow execute --namespace gochat --task-queue gochat-maintenance --type cleanupExpiredStatus';
  for (const [input, complaint] of [
    [`'{"dryrun": true}'`, /dryrun is none of dryRun, olderThanMs/],
    [`'{"olderThanMs": "long"}'`, /olderThanMs must be a whole number of milliseconds above 0/],
    [`'{"dryRun": true}' --input-meta encoding=x`, /The input is wrong: it cannot be decoded/],
    [`'{"dryRun": true}' --input-meta encoding=json/protobuf`, /The input is wrong: it cannot be decoded/],
  ] as const) {
    const { code, output } = await shell(`${run} --input ${input}`);
    assert.equal(code, 1, output);
    assert.match(output, /Status\s+FAILED/);
    assert.match(output, complaint);
  }
});
