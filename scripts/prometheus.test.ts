import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Rules {
  groups: { rules: { alert: string; expr: string; for?: string }[] }[];
}

interface Cases {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
}

const folder = resolve(import.meta.dirname, '../infra/prometheus');
const read = <T>(name: string): T => parse(readFileSync(resolve(folder, name), 'utf8')) as T;
const rules = read<Rules>('alerts.yml').groups.flatMap((group) => group.rules);

const promtool = (...args: string[]) =>
  spawnSync(process.env.PROMTOOL_PATH ?? 'promtool', args, { encoding: 'utf8' });
const missing =
  promtool('--version').error !== undefined && 'promtool is not installed (apt package prometheus)';

test('the rules and the configuration are well-formed', { skip: missing }, () => {
  for (const args of [
    ['check', 'rules', `${folder}/alerts.yml`],
    ['check', 'config', `${folder}/prometheus.yml`],
  ]) {
    const { status, stdout, stderr } = promtool(...args);
    assert.equal(status, 0, stdout + stderr);
  }
});

test('each alert fires when it should, and only then', { skip: missing }, () => {
  const { status, stdout, stderr } = promtool('test', 'rules', `${folder}/alerts.test.yml`);
  assert.equal(status, 0, stdout + stderr);
});

test('every alert has a case in which it fires and one in which it does not', () => {
  const cases = read<Cases>('alerts.test.yml').tests.flatMap((one) => one.alert_rule_test);
  for (const { alert } of rules) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires in no case`,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} fires in every case`,
    );
  }
});

test('the alerts that operators rely on exist under their names', () => {
  const promised = {
    MessageSendFailureHigh:
      'rate(gochat_message_send_failures_total[5m]) / rate(gochat_message_send_total[5m]) > 0.01',
    ConversationLoadSlow:
      'histogram_quantile(0.95, rate(gochat_conversation_load_duration_seconds_bucket[5m])) > 0.5',
    CacheHitRateLow: 'gochat_cache_hit_ratio < 0.9',
  };
  for (const [name, expr] of Object.entries(promised)) {
    const rule = rules.find(({ alert }) => alert === name);
    assert.deepEqual([rule?.expr, rule?.for], [expr, undefined], name);
  }
});
