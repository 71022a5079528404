import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';
import { cached, isCached } from './downloads.ts';

/** The paths of Prometheus and promtool, which the tests of the alert rules run. */
export type PrometheusPrograms = { PROMETHEUS_PATH: string; PROMTOOL_PATH: string };

const cacheName = 'prometheus-debian';
const programs = ['prometheus', 'promtool'] as const;

/**
 * The installed programs, or those of Debian's package, which is unpacked and not installed: the installation would
 * start a service on port 9090. Undefined if neither works: the tests that need the programs are then skipped with a
 * message.
 */
export async function prometheusPrograms(
  progress: Progress,
  log: string,
): Promise<PrometheusPrograms | undefined> {
  const [prometheus, promtool] = programs.map((name) => findProgram(name));
  if (prometheus !== undefined && promtool !== undefined) {
    return { PROMETHEUS_PATH: prometheus, PROMTOOL_PATH: promtool };
  }
  if (!isCached(cacheName) && !canDownload()) return undefined;
  try {
    const folder = await cached(cacheName, (draft) =>
      progress.step('Downloading Prometheus (19 MB)', () => download(draft, log)),
    );
    return { PROMETHEUS_PATH: join(folder, 'prometheus'), PROMTOOL_PATH: join(folder, 'promtool') };
  } catch (error) {
    progress.say(`Without Prometheus: ${error instanceof Error ? error.message : error} (see ${log}).`);
    return undefined;
  }
}

/** True if the download can work: only root may update apt's package lists. */
const canDownload = (): boolean =>
  process.getuid?.() === 0 && ['apt-get', 'dpkg-deb'].every((name) => findProgram(name) !== undefined);

/** apt verifies the package with its signed lists. */
async function download(folder: string, log: string): Promise<void> {
  await runLogged('apt-get', ['update'], { log });
  if ((await runLogged('apt-get', ['download', 'prometheus'], { log, cwd: folder })) !== 0) {
    throw new Error('apt-get could not download its package');
  }
  const contents = join(folder, 'contents');
  mkdirSync(contents);
  const [packageFile = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  if ((await runLogged('dpkg-deb', ['-x', join(folder, packageFile), contents], { log })) !== 0) {
    throw new Error('its package could not be unpacked');
  }
  for (const name of programs) renameSync(join(contents, 'usr', 'bin', name), join(folder, name));
  rmSync(contents, { recursive: true });
  rmSync(join(folder, packageFile));
}
