import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { report } from './process/problem.ts';
import { createProgress } from './process/progress.ts';
import { temporalCli } from './stack/temporal.ts';
import { serverAddresses, userProfile } from './topology/topology.ts';

/** `npm run temporal -- ARGUMENT …`: runs Temporal's command line tool with the address of this folder's GoChat. */
try {
  const profile = userProfile(process.env);
  const cli = await temporalCli(createProgress(), join(profile.home, 'logs', 'temporal.log'));
  const { TEMPORAL_ADDRESS } = serverAddresses(profile, { database: '' });
  const env = { TEMPORAL_NAMESPACE: 'gochat', ...process.env, TEMPORAL_ADDRESS };
  const child = spawn(cli, process.argv.slice(2), { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  report(error);
}
