// Room: the start and stop of all servers and services, in order. The code for a single server belongs in stack.

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Problem } from '../process/problem.ts';
import { runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';
import { lastLines } from '../process/supervisor.ts';
import { serverNames } from '../stack/server.ts';
import { withSeveralDatabases } from '../topology/databases.ts';
import { fileFolder } from '../topology/home.ts';
import { type Profile, type ServicePlan, servicePlans } from '../topology/topology.ts';
import type { RunningServers } from './servers.ts';
import { workflowBundle } from './workflow-bundle.ts';

export interface Services {
  plans: ServicePlan[];
  /**
   * Migrates the database and provisions Temporal as soon as these are ready, then starts the services; resolves when
   * all are ready.
   */
  start(): Promise<void>;
  /** Drains and stops one process, then starts it again. */
  restart(name: string): Promise<void>;
  /** True if the process has been ready since its last start; if it has died since, it is being restarted. */
  isUp(name: string): boolean;
  /**
   * Drains and stops the services in order: the gateways, which take requests, first; repo, which stores data, last.
   */
  stop(): Promise<void>;
}

const root = resolve(import.meta.dirname, '../..');
const stopOrder = ['gateway', 'pusher', 'logic', 'task', 'core', 'repo'];

/** The service processes of a profile; `changed` may replace their addresses or options. */
export function createServices(
  profile: Profile,
  servers: RunningServers,
  progress: Progress,
  changed: (plans: ServicePlan[]) => ServicePlan[] = (plans) => plans,
): Services {
  const { supervisor } = servers;
  const asOne = changed(servicePlans(profile, servers.addresses, servers.keys));
  const { databases: layout = 'one', home } = profile;
  const plans = layout === 'one' ? asOne : withSeveralDatabases(asOne, layout, home);

  const up = new Set<string>();

  async function startOne(plan: ServicePlan): Promise<void> {
    const env = await withWorkflows(plan);
    await progress.step(`${plan.name} is ready`, () =>
      supervisor.start({
        name: plan.name,
        command: process.execPath,
        args: [...plan.nodeOptions, plan.entry],
        env,
        cwd: root,
        isReady: async () =>
          (await Promise.all(plan.admins.map(({ url }) => answersOk(`${url}/readyz`)))).every((ok) => ok),
        // They all start at the same time, on a small machine on one core.
        readyWithinMs: 120_000,
        // A service drains for up to 30 s.
        stopWithinMs: 35_000,
        startAttempts: 3,
        ...(plan.inTerminal ? { inTerminal: true } : {}),
      }),
    );
    up.add(plan.name);
  }

  /** The environment of a process; im-task's names the bundle of the workflows, unless the user's does. */
  async function withWorkflows({ name, env }: ServicePlan): Promise<NodeJS.ProcessEnv> {
    if (name !== 'task' || env.WORKFLOW_BUNDLE_FILE) return env;
    return { ...env, WORKFLOW_BUNDLE_FILE: await workflowBundle(profile.home) };
  }

  async function stopOne(name: string): Promise<void> {
    up.delete(name);
    await supervisor.stop(name);
  }

  /** Runs a program that ends by itself, with the environment of the first of `services` that exists. */
  async function runOnce(title: string, services: string[], entry: string): Promise<void> {
    const log = supervisor.logFile(title.toLowerCase());
    const env = plans.find(({ name }) => services.includes(name))?.env;
    const code = await progress.step(title, () =>
      runLogged(process.execPath, [entry], { log, env: { ...env }, cwd: root }),
    );
    if (code !== 0) throw new Problem(`${title} failed; the end of ${log} says why:`, lastLines(log));
  }

  return {
    plans,

    async start() {
      const { ready } = servers;
      // im-repo makes no folder itself: a missing one may be a disk that is not mounted.
      mkdirSync(fileFolder(home), { recursive: true, mode: 0o700 });
      await Promise.all([
        ready('mysql').then(() => runOnce('Migrations', ['core', 'repo'], 'services/repo/migrate.ts')),
        ready('temporal').then(() =>
          runOnce('Provisioning', ['task'], 'services/task/temporal/provision.ts'),
        ),
        ...serverNames.map(ready),
        // They are made meanwhile, and kept for the start of im-task.
        ...plans.map(withWorkflows),
      ]);
      await Promise.all(plans.map(startOne));
    },

    async restart(name) {
      const plan = plans.find((one) => one.name === name);
      await stopOne(name);
      if (plan !== undefined) await startOne(plan);
    },

    isUp: (name) => up.has(name),

    async stop() {
      for (const service of stopOrder) {
        const names = plans.map((plan) => plan.name).filter((name) => name.replace(/-\d+$/, '') === service);
        await Promise.all(names.map(stopOne));
      }
    },
  };
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
