import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildClients, generatePrismaClient } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { createProgress } from './process/progress.ts';
import { type SourceWatch, watchSources } from './process/source-watch.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { runningStack } from './system/running-stack.ts';
import { createServers } from './system/servers.ts';
import { createServices, type Services } from './system/services.ts';
import { serveWebClient, type WebDevelopment } from './system/web-development.ts';
import {
  gatewayPorts,
  type Profile,
  type ServicePlan,
  servicePorts,
  userProfile,
} from './topology/topology.ts';

/**
 * `npm run dev [-- SERVICE … [--inspect]]`: runs the whole system in the foreground, restarts a service when its
 * sources change, and serves the web client from its sources. It uses the servers of `npm run stack` if they run, otherwise it starts them. The terminal shows
 * the output of the named services; with --inspect a debugger can attach to them.
 */
const stop = stopSignal();
const progress = createProgress();
const firstDebugPort = 9229;
const maxPathsShown = 3;
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
  let web: WebDevelopment | undefined;

  const startAll = async () => {
    const [running] = await Promise.all([servers.begin(), generatePrismaClient(), buildClients()]);
    if (stop.aborted) return;
    const started = createServices(profile, running, progress, (plans) => show(plans, shown, inspect));
    services = started;
    const begun = started.start().catch(report);
    watch = keepCurrent(started, begun);
    const [first] = gatewayPorts(profile);
    if (first) {
      const gatewayUrl = `http://127.0.0.1:${first.http.port}`;
      web = serveWebClient({ gatewayUrl, log: join(profile.home, 'logs', 'web.log') });
    }
    await begun;
    if (!stop.aborted) progress.say(welcome(profile, started, web?.url));
  };

  try {
    await Promise.race([startAll(), aborted(stop)]);
    await aborted(stop);
    progress.say('Stopping');
  } finally {
    watch?.close();
    await web?.stop();
    await services?.stop();
    await servers.stop();
  }
}

/** Restarts services that have changed or are not up, one change at a time; the first change waits for `begun`. */
function keepCurrent(services: Services, begun: Promise<void>): SourceWatch {
  const entries = Object.fromEntries(services.plans.map(({ name, entry }) => [name, entry]));
  let last = begun;
  return watchSources(entries, (changed, paths) => {
    last = last.then(async () => {
      const toStart = Object.keys(entries).filter((name) => changed.includes(name) || !services.isUp(name));
      if (stop.aborted || toStart.length === 0) return;
      progress.say(`${summaryOf(paths)}: starting ${toStart.join(', ')}`);
      await Promise.all(toStart.map((name) => services.restart(name).catch(report)));
    });
  });
}

/** The first three paths and the number of the others: a git checkout may change hundreds of files. */
function summaryOf(paths: readonly string[]): string {
  const first = paths.slice(0, maxPathsShown).map((path) => relative('.', path));
  const more = paths.length - first.length;
  return more === 0 ? first.join(', ') : `${first.join(', ')} and ${more} more`;
}

/** Sends the output of the named services to the terminal; with `inspect` they listen for a debugger. */
function show(plans: ServicePlan[], shown: readonly string[], inspect: boolean): ServicePlan[] {
  const chosen = plans.filter(({ name }) => shown.includes(name.replace(/-\d+$/, '')));
  return plans.map((plan) => {
    const index = chosen.indexOf(plan);
    if (index < 0) return plan;
    const debug = inspect ? [`--inspect=127.0.0.1:${firstDebugPort + index}`] : [];
    return { ...plan, inTerminal: true, nodeOptions: [...plan.nodeOptions, ...debug] };
  });
}

function welcome(profile: Profile, { plans }: Services, webUrl?: string): string {
  const gateways = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
  const debuggers = plans.flatMap(({ name, nodeOptions }) =>
    nodeOptions
      .filter((option) => option.startsWith('--inspect='))
      .map((option) => `${name} on ${option.slice('--inspect='.length)}`),
  );
  const attach = debuggers.length === 0 ? '' : ` Attach a debugger to ${debuggers.join(', ')}.`;
  const web = webUrl === undefined ? '' : ` The web client from its sources: ${webUrl}.`;
  return `Watching the sources of ${plans.map(({ name }) => name).join(', ')}; ${gateways.join(' ')}.${web}${attach}`;
}

function optionsAsked(): Options {
  const { values, positionals } = parse();
  for (const name of positionals) {
    if (!names.includes(name))
      throw new Problem(`"${name}" is not a service. The services are ${names.join(', ')}.`);
  }
  if (values.inspect && positionals.length === 0) {
    throw new Problem(`--inspect needs the name of a service: ${names.join(', ')}.`);
  }
  // These share the process `core` by default; output and debugger of one of them need separate processes.
  const apart = values.apart || ['repo', 'logic', 'pusher'].some((name) => positionals.includes(name));
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
