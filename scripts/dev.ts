import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { generatePrismaClient } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { createProgress } from './process/progress.ts';
import { type SourceWatch, watchSources } from './process/source-watch.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { runningStack } from './system/running-stack.ts';
import { createServers } from './system/servers.ts';
import { createServices, type Services } from './system/services.ts';
import {
  gatewayPorts,
  type Profile,
  type ServicePlan,
  servicePorts,
  userProfile,
} from './topology/topology.ts';

/**
 * `npm run dev [-- SERVICE … [--inspect]]`: the whole system in the foreground, and each service is started anew when
 * its sources change. It uses the servers of `npm run stack` where that runs, else it starts them. What a named service
 * logs is shown here; with --inspect a debugger can attach to it.
 */
const stop = stopSignal();
const progress = createProgress();
const firstDebugPort = 9229;
const mostTold = 3;
const names = ['gateway', 'logic', 'repo', 'task', 'pusher', 'core'];

try {
  await main(optionsAsked());
} catch (error) {
  report(error);
}
process.exit();

interface Options {
  profile: Profile;
  /** Services whose output is shown. */
  shown: string[];
  inspect: boolean;
}

async function main({ profile, shown, inspect }: Options): Promise<void> {
  const servers =
    (await runningStack(profile, progress.say)) ??
    createServers(profile, progress, { ports: servicePorts(profile) });
  let services: Services | undefined;
  let watch: SourceWatch | undefined;

  const startAll = async () => {
    const running = await servers.start();
    await generatePrismaClient();
    if (stop.aborted) return;
    const started = createServices(profile, running, progress, (plans) => show(plans, shown, inspect));
    services = started;
    const begun = started.start().catch(report);
    watch = keepCurrent(started, begun);
    await begun;
    if (!stop.aborted) progress.say(welcome(profile, started));
  };

  try {
    await Promise.race([startAll(), aborted(stop)]);
    await aborted(stop);
    progress.say('Stopping');
  } finally {
    watch?.close();
    await services?.stop();
    await servers.stop();
  }
}

/** Starts anew what has changed and what has not come up: one change after the other, the first after `begun`. */
function keepCurrent(services: Services, begun: Promise<void>): SourceWatch {
  const entries = Object.fromEntries(services.plans.map(({ name, entry }) => [name, entry]));
  let last = begun;
  return watchSources(entries, (changed, paths) => {
    last = last.then(async () => {
      const toStart = Object.keys(entries).filter((name) => changed.includes(name) || !services.isUp(name));
      if (stop.aborted || toStart.length === 0) return;
      progress.say(`${told(paths)}: starting ${toStart.join(', ')}`);
      await Promise.all(toStart.map((name) => services.restart(name).catch(report)));
    });
  });
}

/** A checkout may change hundreds. */
function told(paths: readonly string[]): string {
  const first = paths.slice(0, mostTold).map((path) => relative('.', path));
  const more = paths.length - first.length;
  return more === 0 ? first.join(', ') : `${first.join(', ')} and ${more} more`;
}

/** The named services print here, and listen for a debugger where one is wanted. */
function show(plans: ServicePlan[], shown: readonly string[], inspect: boolean): ServicePlan[] {
  const chosen = plans.filter(({ name }) => shown.includes(name.replace(/-\d+$/, '')));
  return plans.map((plan) => {
    const index = chosen.indexOf(plan);
    if (index < 0) return plan;
    const debug = inspect ? [`--inspect=127.0.0.1:${firstDebugPort + index}`] : [];
    return { ...plan, inTerminal: true, nodeOptions: [...plan.nodeOptions, ...debug] };
  });
}

function welcome(profile: Profile, { plans }: Services): string {
  const gateways = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
  const debuggers = plans.flatMap(({ name, nodeOptions }) =>
    nodeOptions
      .filter((option) => option.startsWith('--inspect='))
      .map((option) => `${name} on ${option.slice('--inspect='.length)}`),
  );
  const attach = debuggers.length === 0 ? '' : ` Attach a debugger to ${debuggers.join(', ')}.`;
  return `Watching the sources of ${plans.map(({ name }) => name).join(', ')}; ${gateways.join(' ')}.${attach}`;
}

function optionsAsked(): Options {
  const { values, positionals } = parse();
  for (const name of positionals) {
    if (!names.includes(name)) throw new Problem(`"${name}" is none of the services ${names.join(', ')}.`);
  }
  if (values.inspect && positionals.length === 0) {
    throw new Problem(`--inspect needs the name of a service: ${names.join(', ')}.`);
  }
  // Only as processes of their own can the two be told apart.
  const apart = values.apart || positionals.includes('logic') || positionals.includes('repo');
  const profile = userProfile(process.env, Number.parseInt(values.gateways, 10), !apart);
  return { profile, shown: positionals, inspect: values.inspect };
}

function parse() {
  const options = {
    inspect: { type: 'boolean', default: false },
    gateways: { type: 'string', default: '1' },
    apart: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    throw new Problem(
      `${what}: npm run dev takes names of services, --inspect, --gateways NUMBER and --apart.`,
    );
  }
}
