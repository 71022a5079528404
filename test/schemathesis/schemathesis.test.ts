import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gatewayUrl, newFriends, newPerson } from '../support/people/people.ts';
import { installSchemathesis, type Schemathesis } from './install.ts';

/** For all requests of a run. */
const longestMs = 12 * 60_000;

let schemathesis: Schemathesis;

before(
  async () => {
    schemathesis = await installSchemathesis(
      join(process.env.GOCHAT_HOME ?? '.', 'logs', 'schemathesis.log'),
    );
  },
  { timeout: longestMs },
);

/** Sends requests made from the document; resolves to the exit code and all that was said. */
function run(
  token: string,
  args: string[],
  signal: AbortSignal,
): Promise<{ code: number | null; said: string }> {
  const { command, args: first, env } = schemathesis;
  const all = [
    ...first,
    ...['--config-file', join(import.meta.dirname, 'schemathesis.toml')],
    ...['run', `${gatewayUrl}/openapi.json`, '--url', gatewayUrl],
    ...['--header', `Authorization: Bearer ${token}`, '--no-color', ...args],
  ];
  const child = spawn(command, all, {
    env: { ...env, SCHEMATHESIS_HOOKS: 'hooks' },
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', () => undefined);
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, said: Buffer.concat(chunks).toString() })),
  );
}

test('the system answers as its document says', { timeout: longestMs }, async ({ signal }) => {
  const { ann } = await newFriends();
  // Signing out would end the run for all others.
  const { code, said } = await run(ann.accessToken, ['--exclude-operation-id', 'logout'], signal);
  assert.equal(code, 0, said);
});

test('signing out answers as the document says', { timeout: longestMs }, async ({ signal }) => {
  const { accessToken } = await newPerson();
  const { code, said } = await run(accessToken, ['--include-operation-id', 'logout'], signal);
  assert.equal(code, 0, said);
});
