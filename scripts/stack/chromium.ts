import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, runLogged } from '../process/program.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'] as const;

/**
 * The path of Chromium for the tests of the web client. Where it is missing, and this user may install packages of Debian,
 * it is installed. Undefined if it can't be had.
 */
export async function chromiumProgram(say: (line: string) => void): Promise<string | undefined> {
  const present = findProgram(...names);
  if (present !== undefined) return present;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return undefined;
  say('Installing Chromium for the tests of the web client (apt-get install chromium)');
  const log = join(tmpdir(), 'gochat-chromium.log');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runLogged('apt-get', ['update'], { log, env });
  await runLogged(
    'apt-get',
    ['install', '--yes', '--no-install-recommends', 'chromium', 'fonts-noto-color-emoji'],
    {
      log,
      env,
    },
  );
  return findProgram(...names);
}
