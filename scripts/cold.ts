import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem, report } from './process/problem.ts';
import { userProfile } from './topology/topology.ts';

/**
 * `npm run cold -- verify`: compares all objects of the cold store with the database. REPO_ADDRESS and GRPC_TOKEN_FILE name the
 * im-repo of another system than this folder's.
 */
try {
  const [command, ...others] = process.argv.slice(2);
  if (command !== 'verify' || others.length > 0) throw new Problem('Use: npm run cold -- verify');
  const token = join(userProfile(process.env).home, 'secrets', 'grpc-token');
  const env = { ...(existsSync(token) ? { GRPC_TOKEN_FILE: token } : {}), ...process.env };
  const program = resolve(import.meta.dirname, '../services/task/verify-archive.ts');
  const child = spawn(process.execPath, [program], { stdio: 'inherit', env });
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  report(error);
}
