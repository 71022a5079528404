import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from './process/problem.ts';
import { createProgress } from './process/progress.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { createServers, type RunningServers } from './system/servers.ts';
import { serverPorts, userProfile } from './topology/topology.ts';

/** `npm run stack`: only the servers, in the foreground, for whoever runs the services by hand. */
const profile = userProfile(process.env);
const progress = createProgress();
const servers = createServers(profile, progress);
const stop = stopSignal();
const envFile = join(profile.home, 'stack.env');

try {
  const running = await Promise.race([servers.start(), aborted(stop)]);
  if (running !== undefined) {
    writeEnvFile(running);
    progress.say('The servers are up; Ctrl-C stops them.');
    progress.say(`Temporal Web UI  http://127.0.0.1:${serverPorts(profile).temporalUi.port}`);
    progress.say(`Their addresses  source ${envFile}`);
    await aborted(stop);
  }
} catch (error) {
  report(error);
}
await servers.stop();
rmSync(envFile, { force: true });
if (stop.aborted) progress.say('Everything has stopped; the data is kept');
process.exit();

function writeEnvFile({ addresses, keys }: RunningServers): void {
  mkdirSync(profile.home, { recursive: true });
  const lines = Object.entries({ ...addresses, ...keys }).map(
    ([name, value]) => `export ${name}='${value}'\n`,
  );
  writeFileSync(envFile, lines.join(''), { mode: 0o600 });
}
