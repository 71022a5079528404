import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { findProgram, runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';

/** A program that a server needs, and the Debian package that contains it. */
export interface Requirement {
  aptPackage: string;
  isMet(): Promise<boolean>;
}

/** A requirement that is met if any of the named programs is installed. */
export function program(aptPackage: string, ...names: string[]): Requirement {
  return { aptPackage, isMet: async () => findProgram(...names) !== undefined };
}

export async function missingPackages(requirements: readonly Requirement[]): Promise<string[]> {
  const missing = new Set<string>();
  for (const requirement of requirements) {
    if (!(await requirement.isMet())) missing.add(requirement.aptPackage);
  }
  return [...missing];
}

/** Throws a Problem that says how to install the packages, if this script cannot install them. */
export function assertInstallable(packages: readonly string[]): void {
  if (packages.length === 0) return;
  const list = packages.join(' ');
  if (findProgram('apt-get') === undefined) {
    throw new Problem(`Install Docker, or the programs of the Debian packages ${list}, and run this again.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Problem(
      `Some packages are missing; install them with the line below and run this again.`,
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list}`,
    );
  }
}

/** Installs Debian packages; this needs root, which assertInstallable has checked. */
export async function installPackages(packages: readonly string[], home: string, progress: Progress) {
  if (packages.length === 0) return;
  const log = join(home, 'logs', 'apt.log');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await progress.step(`Installing ${packages.join(', ')} with apt-get`, async () => {
    await runLogged('apt-get', ['update'], { log, env });
    const options = ['install', '-y', '--no-install-recommends'];
    const code = await runLogged('apt-get', [...options, ...packages], { log, env });
    if (code !== 0) throw new Problem(`apt-get could not install ${packages.join(' ')}: see ${log}.`);
  });
}
