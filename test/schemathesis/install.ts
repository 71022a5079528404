import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../scripts/process/problem.ts';
import { findProgram, output, runLogged } from '../../scripts/process/program.ts';
import { cached } from '../../scripts/stack/downloads.ts';

export type Schemathesis = { command: string; args: string[]; env: NodeJS.ProcessEnv };

/**
 * Schemathesis with the packages of requirements.txt, from the Python package index, kept for every checkout of this
 * user. It is not installed for anybody else. Throws a Problem where it cannot be had.
 */
export async function installSchemathesis(log: string): Promise<Schemathesis> {
  const python = findProgram('python3');
  if (python === undefined) throw new Problem('Schemathesis needs Python 3.10 or newer: install python3.');
  const { stdout: version } = await output(python, [
    '-c',
    'import sys; print("%d.%d" % sys.version_info[:2])',
  ]);
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const pinned = hash('sha256', readFileSync(requirements)).slice(0, 12);
  // Packages with compiled parts fit one version of Python.
  const folder = await cached(`schemathesis-${pinned}-python-${version.trim()}`, async (draft) => {
    const install = ['-m', 'pip', 'install', '--quiet', '--target', draft, '--requirement', requirements];
    if ((await runLogged(python, install, { log })) === 0) return;
    throw new Problem(`Schemathesis cannot be installed with "python3 -m pip" here (see ${log}).`);
  });
  return {
    command: python,
    args: ['-m', 'schemathesis.cli'],
    env: { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
  };
}
