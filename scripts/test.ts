import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { generatePrismaClient } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { createProgress, elapsed } from './process/progress.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { lastLines } from './process/supervisor.ts';
import { usesDocker } from './stack/docker.ts';
import { mysqlPrograms } from './stack/mysql.ts';
import { prometheusPrograms } from './stack/prometheus.ts';
import { temporalCli, temporalTestServer, testServerRequirements } from './stack/temporal.ts';
import { createServers, type RunningServers, type Servers } from './system/servers.ts';
import { createServices, type Services } from './system/services.ts';
import { readArguments } from './testing/arguments.ts';
import type { Counts } from './testing/counts-reporter.ts';
import { createDoors } from './testing/doors/doors.ts';
import { type Selected, select } from './testing/selection.ts';
import { steps } from './testing/steps.ts';

import {
  type DatabaseName,
  gatewayPorts,
  type ServicePlan,
  servicePorts,
  testProfile,
} from './topology/topology.ts';

/**
 * `npm test [-- STEP … | FILE …] [--database mysql [--or-skip]]`: every step, one after the other, on servers of its own ports and data,
 * beside whatever else runs. All steps run, even after one has failed.
 */
const startedAt = performance.now();
const stop = stopSignal();
const progress = createProgress();
const plain = testProfile(process.env);
// A broker in Docker has no entrances of ours. What is wrong with Docker is said when the servers start.
const inDocker = await usesDocker(plain.env).catch(() => false);
const doors = createDoors(plain, { toKafka: !inDocker });
const profile = { ...plain, brokerEntrances: doors.brokerEntrances };
const total: Counts = { passed: 0, failed: 0 };
let servers: Servers | undefined;
let services: Services | undefined;

try {
  const { asked, settings, database, orSkip } = readArguments(process.argv.slice(2));
  Object.assign(profile.env, settings);
  if (database !== undefined) profile.database = database;
  const selected = select(steps, asked);
  if (!(orSkip && (await isMissing(database)))) {
    await Promise.race([main(selected), aborted(stop)]);
  }
} catch (error) {
  report(error);
  total.failed += 1;
}
await services?.stop();
await doors.close();
await servers?.stop();
if (stop.aborted) total.failed += 1;
console.log(`\nAll of it took ${elapsed(startedAt)}.\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

/** Whether the database server that was asked for can't be had on this machine, which is then said. */
async function isMissing(database: DatabaseName | undefined): Promise<boolean> {
  if (database !== 'mysql') return false;
  try {
    await mysqlPrograms(progress, join(tmpdir(), 'gochat-mysql.log'));
    return false;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log(`Skipped: ${error.message}`);
    return true;
  }
}

async function main(selected: Selected[]): Promise<void> {
  await generatePrismaClient();
  const running = await startServersFor(selected);
  for (const { step, files } of selected) {
    if (stop.aborted) return;
    console.log(`\n── ${step.title} (${step.name})`);
    const from = performance.now();
    const counts = await runStep({ step, files }, running);
    total.passed += counts.passed;
    total.failed += counts.failed;
    console.log(`   ${step.name}: ${counts.passed} passed, ${counts.failed} failed, ${elapsed(from)}`);
  }
}

async function runStep({ step, files }: Selected, running: RunningServers | undefined): Promise<Counts> {
  if (running === undefined || step.needs === 'nothing') return step.run(process.env, files, stop);
  if (step.needs === 'servers' || files.length === 0) return step.run(await serverEnv(running), files, stop);
  try {
    const own = { ...profile, core: step.apart !== true, env: { ...step.settings, ...profile.env } };
    const system = createServices(own, running, progress, doors.reroute);
    services = system;
    await doors.open();
    await system.start();
    const counts = await step.run({ ...(await serverEnv(running)), ...systemEnv(system.plans) }, files, stop);
    if (counts.failed > 0) showLogs(running, system.plans);
    await system.stop();
    return counts;
  } catch (error) {
    report(error);
    return { passed: 0, failed: 1 };
  }
}

async function startServersFor(selected: Selected[]): Promise<RunningServers | undefined> {
  if (selected.every(({ step, files }) => step.needs === 'nothing' || files.length === 0)) return undefined;
  const ports = [...servicePorts(profile), ...doors.ports];
  servers = createServers(profile, progress, { ports, requirements: testServerRequirements(), fresh: true });
  return servers.start();
}

/** Where tests find the servers, by the names that the services use too, and the programs that they run. */
async function serverEnv({ addresses, keys, supervisor }: RunningServers): Promise<NodeJS.ProcessEnv> {
  const { GRPC_TOKEN_FILE: _, ...signing } = keys;
  const log = supervisor.logFile('downloads');
  return {
    ...profile.env,
    ...addresses,
    ...signing,
    TEMPORAL_NAMESPACE: 'gochat',
    TEMPORAL_CLI_PATH: await temporalCli(progress, log),
    TEMPORAL_TEST_SERVER_PATH: await temporalTestServer(progress, log),
    ...(await prometheusPrograms(progress, log)),
    GOCHAT_HOME: profile.home,
  };
}

/** Where end-to-end tests find the system, past its doors, and where they set these; its processes are in run.json in GOCHAT_HOME. */
function systemEnv(plans: ServicePlan[]): NodeJS.ProcessEnv {
  const [first, second] = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
  const metrics = plans
    .flatMap(({ admins }) => admins)
    .map(({ service, url }) => [
      `${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`,
      `${url}/metrics`,
    ]);
  const { REPO_ADDRESS, LOGIC_ADDRESS, GRPC_TOKEN_FILE } = plans[0]?.env ?? {};
  return {
    GATEWAY_URL: first,
    GATEWAY2_URL: second,
    REPO_ADDRESS,
    LOGIC_ADDRESS,
    GRPC_TOKEN_FILE,
    DOORS_URL: doors.controlUrl,
    ...Object.fromEntries(metrics),
  };
}

function showLogs({ supervisor }: RunningServers, plans: ServicePlan[]): void {
  for (const { name } of plans) {
    console.log(`\n   The end of ${join('.gochat/test/logs', `${name}.log`)}:`);
    console.log(lastLines(supervisor.logFile(name), 12).replace(/^/gm, '   '));
  }
}
