import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const services = ['GATEWAY_1', 'GATEWAY_2', 'LOGIC', 'REPO', 'TASK', 'PUSHER'];
const rules = readFileSync(resolve(import.meta.dirname, '../../infra/prometheus/alerts.yml'), 'utf8');

test('every metric that an alert rule asks for is shown by a service', async () => {
  const shown = await Promise.all(
    services.map(async (service) => (await fetch(process.env[`${service}_METRICS_URL`] ?? '')).text()),
  );
  const lines = shown.join('\n').split('\n');
  const asked = new Set(rules.match(/\bgochat_[a-z_]+[a-z]\b(?=[[{ )<>])/g));
  assert.ok(asked.size >= 10, [...asked].join());
  const unknown = [...asked].filter((name) => {
    const histogram = name.endsWith('_bucket');
    const type = `# TYPE ${name.replace(/_bucket$/, '')} `;
    return !lines.some((line) => line.startsWith(type) && line.endsWith(' histogram') === histogram);
  });
  assert.deepEqual(unknown, []);
});
