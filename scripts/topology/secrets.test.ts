import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { publicKeys } from '../../lib/tokens.ts';
import { ensureSecrets } from './secrets.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('gateways take the public half of every private key, however they are spread over files', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'gochat-secrets-'));
  t.after(() => rmSync(home, { recursive: true }));
  const pems = [newKey(), newKey(), newKey()];
  const [both, single] = [join(home, 'both.pem'), join(home, 'single.pem')];
  writeFileSync(both, pems.slice(0, 2).join(''));
  writeFileSync(single, pems[2] ?? '');
  const { keys } = ensureSecrets(home, { AUTH_PRIVATE_KEY_FILE: `${both}, ${single}` });
  const given = readFileSync(keys.AUTH_PUBLIC_KEY_FILE, 'utf8');
  assert.doesNotMatch(given, /PRIVATE/);
  const kids = async (texts: string[]) => (await publicKeys(texts)).map(({ kid }) => kid);
  assert.deepEqual(await kids([given]), await kids(pems));
  assert.equal(createPublicKey(given).asymmetricKeyType, 'ed25519');
});

test('a file without a key is refused, by its name', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'gochat-secrets-'));
  t.after(() => rmSync(home, { recursive: true }));
  const empty = join(home, 'empty.pem');
  writeFileSync(empty, 'nothing');
  for (const path of [empty, join(home, 'missing.pem')]) {
    assert.throws(
      () => ensureSecrets(home, { AUTH_PRIVATE_KEY_FILE: path }),
      (error: Error) => error.message.includes(path),
    );
  }
});
