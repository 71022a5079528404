import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { findProgram, tiedToUs } from '../../../scripts/process/program.ts';
import { eventually } from '../eventually.ts';
import { freePort } from './free-port.ts';

/** `alertname`, and others that it has to have. */
type Labels = Record<string, string>;

export type Prometheus = {
  /** Answers the labels of an alert once it fires. Fails after `withinMs`. */
  fires(alert: Labels, withinMs: number): Promise<Labels>;
  /** Resolves when it does not fire (any more). */
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
/** Why tests that need it are skipped; false where it is there. */
export const withoutPrometheus =
  command === undefined &&
  'prometheus is not installed (apt package prometheus): no alert can be seen firing';

/** How much shorter every duration is than what operators get: nobody waits five minutes for a test. */
const quicker = 10;
const lookEveryMs = 250;
const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The project's rules or configuration with each duration (windows, offsets, `for`, intervals) divided by ten, and
 * nothing else changed: expressions, thresholds and labels are what operators get.
 */
export function tenTimesQuicker(text: string): string {
  return text.replaceAll(
    /(\[|\boffset |\bfor: |_interval: )(\d+)(ms|s|m|h)\b/g,
    (_, before: string, count: string, unit: string) =>
      `${before}${(Number(count) * (unitMs[unit] ?? Number.NaN)) / quicker}ms`,
  );
}

/** Starts a Prometheus with the project's own configuration and rules, ten times quicker, on these services. */
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
    lookEveryMs,
  );

  return {
    async fires(wanted, withinMs) {
      let alert: Alert | undefined;
      const found = async () => {
        alert = await firing(wanted);
        return alert !== undefined;
      };
      await eventually(found, withinMs, lookEveryMs).catch(() => {
        throw new Error(`${JSON.stringify(wanted)} does not fire within ${withinMs} ms`);
      });
      return alert?.labels ?? {};
    },
    rests: (wanted, withinMs) =>
      eventually(async () => (await firing(wanted)) === undefined, withinMs, lookEveryMs).catch(() => {
        throw new Error(`${JSON.stringify(wanted)} still fires after ${withinMs} ms`);
      }),
    async close() {
      server.kill('SIGTERM');
      await gone;
      rmSync(home, { recursive: true });
    },
  };
}
