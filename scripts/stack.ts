import { report } from './process/problem.ts';
import { createProgress } from './process/progress.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { createServers } from './system/servers.ts';
import { removeStackFile, stackFile, writeStackFile } from './system/stack-file.ts';
import { serverPorts, userProfile } from './topology/topology.ts';

/** `npm run stack`: only the servers, in the foreground, for users who run the services themselves. */
const profile = userProfile(process.env);
const progress = createProgress();
const servers = createServers(profile, progress);
const stop = stopSignal();

try {
  const running = await Promise.race([servers.start(), aborted(stop)]);
  if (running !== undefined) {
    writeStackFile(profile.home, running);
    progress.say('The servers are up; Ctrl-C stops them.');
    progress.say(`Temporal Web UI  http://127.0.0.1:${serverPorts(profile).temporalUi.port}`);
    progress.say(`Their addresses  source ${stackFile(profile.home)}`);
    await aborted(stop);
  }
} catch (error) {
  report(error);
}
await servers.stop();
removeStackFile(profile.home);
if (stop.aborted) progress.say('Everything has stopped; the data is kept');
process.exit();
