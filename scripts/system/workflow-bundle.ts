import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem } from '../process/problem.ts';
import { runLogged } from '../process/program.ts';
import { sourcesOf } from '../process/sources.ts';
import { lastLines } from '../process/supervisor.ts';

const root = resolve(import.meta.dirname, '../..');
const bundler = join(root, 'services', 'task', 'temporal', 'workflow-bundler.ts');
const workflows = join(root, 'workflows', 'index.ts');

/**
 * The path of the bundle of all workflows as they are now. im-task would need seconds of CPU to make it at each start, so
 * it is kept in the data folder until a workflow, or the version of a package, changes.
 */
export async function workflowBundle(home: string): Promise<string> {
  const folder = join(home, 'workflows');
  const name = `${digest()}.js`;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}-${process.pid}`);
  const code = await runLogged(process.execPath, [bundler], { log: draft, cwd: root });
  if (code !== 0) {
    const problem = new Problem('The workflows could not be bundled:', lastLines(draft));
    rmSync(draft);
    throw problem;
  }
  renameSync(draft, path);
  for (const other of readdirSync(folder)) if (other !== name) rmSync(join(folder, other));
  return path;
}

function digest(): string {
  const hash = createHash('sha256').update(process.version);
  for (const path of [join(root, 'package-lock.json'), bundler, ...[...sourcesOf(workflows)].sort()]) {
    hash.update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}
