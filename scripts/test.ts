import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { buildClients, generatePrismaClient } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { createProgress, elapsed } from './process/progress.ts';
import { aborted, stopSignal } from './process/stop-signal.ts';
import { mysqlPrograms } from './stack/mysql.ts';
import { readArguments } from './testing/arguments.ts';
import type { Counts } from './testing/counts-reporter.ts';
import { allNeeds } from './testing/needs.ts';
import { rounds, runSteps } from './testing/rounds.ts';
import { type Selected, select } from './testing/selection.ts';
import { steps } from './testing/steps.ts';
import { createTestSystem, type TestSystem } from './testing/test-system.ts';
import { type DatabaseName, testProfile } from './topology/topology.ts';

/**
 * `npm test [-- STEP … | FILE … | FILE:LINE] [--database mysql [--or-skip]] [--databases split]`: runs test steps, on servers with
 * separate ports and data. It starts only the servers that the selected files need; steps without servers run during
 * that start. All steps run, even after one has failed.
 */
const startedAt = performance.now();
const stop = stopSignal();
const progress = createProgress();
const total: Counts = { passed: 0, failed: 0 };
let system: TestSystem | undefined;

try {
  const { asked, settings, database, databases, orSkip } = readArguments(process.argv.slice(2));
  const profile = testProfile(process.env);
  Object.assign(profile.env, settings);
  if (database !== undefined) profile.database = database;
  if (databases !== undefined) profile.databases = databases;
  const selected = select(steps, asked);
  if (!(orSkip && (await isMissing(database)))) {
    system = createTestSystem(profile, progress);
    await Promise.race([main(selected, system), aborted(stop)]);
  }
} catch (error) {
  report(error);
  total.failed += 1;
}
await system?.stop();
if (stop.aborted) total.failed += 1;
console.log(`\nAll of it took ${elapsed(startedAt)}.\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

/** True, with a printed message, if the requested database server cannot run on this machine. */
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

async function main(selected: Selected[], on: TestSystem): Promise<void> {
  await Promise.all([generatePrismaClient(), buildClients()]);
  const needs = allNeeds(selected.flatMap(({ files }) => files));
  const servers = needs.size === 0 ? Promise.resolve(on.env) : on.startServers(needs);
  // The steps that need the servers await this promise and get the error; until then it must not count as unhandled.
  servers.catch(() => undefined);
  for (const round of rounds(selected)) {
    if (stop.aborted) return;
    console.log(`\n── ${round.map(({ step }) => `${step.title} (${step.name})`).join(', ')}`);
    const counts = await runRound(round, on, servers);
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
}

async function runRound(
  round: Selected[],
  on: TestSystem,
  servers: Promise<NodeJS.ProcessEnv>,
): Promise<Counts> {
  const run = (envOf: (selected: Selected) => Promise<NodeJS.ProcessEnv>) =>
    runSteps(round, { atOnce: availableParallelism() + 1, envOf, stop, say: console.log });
  const [first] = round;
  const needs = allNeeds(round.flatMap(({ files }) => files));
  if (first === undefined || !needs.has('system')) {
    return run(async ({ files }) => (allNeeds(files).size === 0 ? on.env : servers));
  }
  try {
    await servers;
    return await on.withServices(first.step, async (env) => {
      const counts = await run(async () => env);
      if (counts.failed > 0) console.log(on.logs());
      return counts;
    });
  } catch (error) {
    report(error);
    return { passed: 0, failed: 1 };
  }
}
