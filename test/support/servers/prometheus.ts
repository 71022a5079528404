import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { findProgram, tiedToUs } from '../../../scripts/process/program.ts';
import { eventually } from '../eventually.ts';
import { freePort } from './free-port.ts';

/** `alertname`, and other labels that the alert must have. */
type Labels = Record<string, string>;

export type Prometheus = {
  /** Waits until an alert fires; resolves to its labels. Rejects after `withinMs`. */
  fires(alert: Labels, withinMs: number): Promise<Labels>;
  /** Resolves when the alert does not fire, or not any more. Rejects after `withinMs`. */
  rests(alert: Labels, withinMs: number): Promise<void>;
  close(): Promise<void>;
};

type Config = {
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[]; labels: object }[] }[];
};
type Alert = { state: string; labels: Labels };

const folder = resolve(import.meta.dirname, '../../../infra/prometheus');
const command = process.env.PROMETHEUS_PATH ?? findProgram('prometheus');
/** The reason to skip tests that need Prometheus; false if it is installed. */
export const withoutPrometheus =
  command === undefined &&
  'prometheus is not installed (apt package prometheus): no alert can be seen firing';

/** All durations of the rules are divided by this, so that a test need not wait five minutes. */
const speedUp = 10;
const pollEveryMs = 250;
const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The project's rules or configuration with each duration (windows, offsets, `for`, intervals) divided by ten.
 * Expressions, thresholds and labels stay as operators get them.
 */
export function tenTimesQuicker(text: string): string {
  return text.replaceAll(
    /(\[|\boffset |\bfor: |_interval: )(\d+)(ms|s|m|h)\b/g,
    (_, before: string, count: string, unit: string) =>
      `${before}${(Number(count) * (unitMs[unit] ?? Number.NaN)) / speedUp}ms`,
  );
}

/**
 * Starts a Prometheus for these services with the project's configuration and rules, with durations divided by ten.
 */
export async function startPrometheus(metricsUrls: Record<string, string>): Promise<Prometheus> {
  const home = mkdtempSync(join(tmpdir(), 'gochat-prometheus-'));
  const quick = (name: string) => tenTimesQuicker(readFileSync(join(folder, name), 'utf8'));
  writeFileSync(join(home, 'alerts.yml'), quick('alerts.yml'));
  const config = parse(quick('prometheus.yml')) as Config;
  for (const job of config.scrape_configs) {
    job.static_configs = Object.entries(metricsUrls).map(([service, url]) => ({
      targets: [new URL(url).host],
      labels: { service: service.replace(/-\d+$/, '') },
    }));
  }
  writeFileSync(join(home, 'prometheus.yml'), stringify(config));

  const address = `127.0.0.1:${await freePort()}`;
  const [program, args] = tiedToUs(command ?? 'prometheus', [
    `--config.file=${join(home, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(home, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ]);
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const gone = new Promise((resolve) => server.once('exit', resolve));

  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(5000) });
    return ((await answer.json()) as { data: T }).data;
  };
  const firing = async (wanted: Labels) => {
    const { alerts } = await get<{ alerts: Alert[] }>('/api/v1/alerts');
    return alerts.find(
      ({ state, labels }) =>
        state === 'firing' && Object.entries(wanted).every(([name, value]) => labels[name] === value),
    );
  };
  type Targets = { activeTargets: { health: string }[] };
  await eventually(
    async () => {
      if (server.exitCode !== null) throw new Error(`prometheus ended: ${said}`);
      const { activeTargets } = await get<Targets>('/api/v1/targets').catch(() => ({ activeTargets: [] }));
      return activeTargets.length > 0 && activeTargets.every(({ health }) => health === 'up');
    },
    30_000,
    pollEveryMs,
  );

  return {
    async fires(wanted, withinMs) {
      let alert: Alert | undefined;
      const found = async () => {
        alert = await firing(wanted);
        return alert !== undefined;
      };
      await eventually(found, withinMs, pollEveryMs).catch(() => {
        throw new Error(`${JSON.stringify(wanted)} does not fire within ${withinMs} ms`);
      });
      return alert?.labels ?? {};
    },
    rests: (wanted, withinMs) =>
      eventually(async () => (await firing(wanted)) === undefined, withinMs, pollEveryMs).catch(() => {
        throw new Error(`${JSON.stringify(wanted)} still fires after ${withinMs} ms`);
      }),
    async close() {
      server.kill('SIGTERM');
      await gone;
      rmSync(home, { recursive: true });
    },
  };
}
