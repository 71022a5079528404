import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { buildClients, generatePrismaClient } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { createProgress, elapsed } from './process/progress.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { type DemoSize, demoSize, plantDemo, plantOnce } from './system/demo.ts';
import { createServers } from './system/servers.ts';
import { createServices, type Services } from './system/services.ts';
import { welcome } from './system/welcome.ts';
import { keepLayout, layoutOf } from './topology/databases.ts';
import { isSmallMachine } from './topology/memory.ts';
import { type Profile, servicePorts, userProfile } from './topology/topology.ts';

/** `npm start`: runs the whole system in the foreground, until Ctrl-C or SIGTERM. */
const startedAt = performance.now();
const stop = stopSignal();
const progress = createProgress();

try {
  await main(asked());
} catch (error) {
  report(error);
}
process.exit();

async function main({ profile, demo }: { profile: Profile; demo: DemoSize | undefined }): Promise<void> {
  keepLayout(profile.home, profile.databases ?? 'one');
  const servers = createServers(profile, progress, { ports: servicePorts(profile) });
  let services: Services | undefined;

  if (profile.small) progress.say('With the settings for a small machine; --no-small is without them');

  const startAll = async () => {
    const [running] = await Promise.all([servers.begin(), generatePrismaClient(), buildClients()]);
    if (stop.aborted) return;
    services = createServices(profile, running, progress);
    await services.start();
    if (stop.aborted) return;
    const signIns = demo && (await demoSignIns(profile, demo));
    if (stop.aborted) return;
    console.log(welcome(profile, running, services.plans, elapsed(startedAt), signIns));
  };

  try {
    await Promise.race([startAll(), aborted(stop)]);
    await aborted(stop);
    progress.say('Stopping: the gateways first, the servers last');
  } finally {
    await services?.stop();
    await servers.stop();
  }
  progress.say('Everything has stopped; the data is kept');
}

const demoSignIns = (profile: Profile, size: DemoSize): Promise<string | undefined> =>
  plantOnce(
    profile.home,
    () => progress.step('The demo world is there', () => plantDemo(profile, size)),
    (warning) => {
      if (!stop.aborted) progress.say(warning);
    },
  );

function asked(): { profile: Profile; demo: DemoSize | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        gateways: { type: 'string', default: '1' },
        apart: { type: 'boolean', default: false },
        small: { type: 'boolean', default: isSmallMachine() },
        databases: { type: 'string', default: 'one' },
        demo: { type: 'boolean', default: false },
      },
      allowNegative: true,
    });
    const gateways = Number.parseInt(values.gateways, 10);
    const profile = userProfile(process.env, gateways, !values.apart, values.small);
    return {
      profile: { ...profile, databases: layoutOf(values.databases) },
      demo: values.demo ? demoSize() : undefined,
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      `npm start takes only the options --gateways NUMBER, --apart, --small or --no-small, --demo, and --databases LAYOUT (${(error as Error).message}).`,
    );
  }
}
