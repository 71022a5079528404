import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, output, runLogged } from '../process/program.ts';

const archive = 'http://deb.debian.org/debian';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Throws an Error with one sentence if this machine cannot download packages of another Debian release. */
export function assertPrivateAptWorks(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('it exists for Linux on x64 only');
  const missing = ['apt-get', 'apt-config', 'dpkg-deb'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) throw new Error(`it needs ${missing.join(' and ')}`);
}

/**
 * Downloads a package of Debian's unstable release with its dependencies and unpacks them into `folder`. Nothing is
 * installed, and the configuration and state of the machine's apt stay unchanged. apt verifies each package with the
 * package lists, and the lists with Debian's keyring. `work` is a folder for temporary files. Returns the package's
 * version.
 */
export async function unpackFromUnstable(
  packageName: string,
  { folder, work, log }: { folder: string; work: string; log: string },
): Promise<string> {
  const config = await writeAptRoot(work);
  const env = { ...process.env, APT_CONFIG: config, LC_ALL: 'C' };
  await run('apt-get', ['update'], { log, env });
  await run('apt-get', ['install', '--yes', '--download-only', packageName], { log, env });
  const archives = join(work, 'cache', 'archives');
  const packages = readdirSync(archives).filter((name) => name.endsWith('.deb'));
  mkdirSync(folder, { recursive: true });
  for (const name of packages) await run('dpkg-deb', ['-x', join(archives, name), folder], { log });
  const [own = ''] = packages.filter((name) => name.startsWith(`${packageName}_`));
  const [, version = ''] = own.split('_');
  return decodeURIComponent(version);
}

async function run(command: string, args: string[], options: { log: string; env?: NodeJS.ProcessEnv }) {
  const code = await runLogged(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args[0]} failed`);
}

/** Writes the configuration and an empty package database for a private apt. */
async function writeAptRoot(root: string): Promise<string> {
  for (const folder of ['etc', 'parts', 'state/lists/partial', 'cache/archives/partial', 'dpkg']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'dpkg', 'status'), '');
  writeFileSync(join(root, 'etc', 'sources.list'), `deb [signed-by=${keyring}] ${archive} sid main\n`);
  // Copies the network settings (for example a proxy) of this machine's apt, but not its hooks.
  const { stdout: network } = await output('apt-config', ['dump', 'Acquire']);
  const config = join(root, 'apt.conf');
  writeFileSync(
    config,
    `${network}
Dir::Etc "${join(root, 'etc')}";
Dir::Etc::sourcelist "${join(root, 'etc', 'sources.list')}";
Dir::Etc::sourceparts "${join(root, 'parts')}";
Dir::Etc::parts "${join(root, 'parts')}";
Dir::Etc::preferencesparts "${join(root, 'parts')}";
Dir::State "${join(root, 'state')}";
Dir::State::status "${join(root, 'dpkg', 'status')}";
Dir::Cache "${join(root, 'cache')}";
Dir::Log "${root}";
APT::Architecture "amd64";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::Retries "1";
// Mirrors and caches may be out of date; the signatures of the lists are still verified.
Acquire::Check-Valid-Until "false";
`,
  );
  return config;
}
