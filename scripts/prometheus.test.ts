import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' });
const missing =
  promtool('--version').error !== undefined && 'promtool is not installed (apt package prometheus)';

test('the alert rules are well-formed', { skip: missing }, () => {
  const { status, stdout, stderr } = promtool('check', 'rules', 'infra/prometheus/alerts.yml');
  assert.equal(status, 0, stdout + stderr);
});

test('each alert fires when it should, and only then', { skip: missing }, () => {
  const { status, stdout, stderr } = promtool('test', 'rules', 'infra/prometheus/alerts.test.yml');
  assert.equal(status, 0, stdout + stderr);
});
