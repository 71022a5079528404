import { resolve } from 'node:path';
import { Problem } from './problem.ts';
import { runLogged } from './program.ts';
import type { Progress } from './progress.ts';
import type { RunningServers } from './servers.ts';
import { lastLines } from './supervisor.ts';
import { type Profile, type ServicePlan, servicePlans } from './topology.ts';

export interface Services {
  plans: ServicePlan[];
  /** Brings database and Temporal up to date, then starts the services; resolves when all are ready. */
  start(): Promise<void>;
  /** Drains and stops them in order: whoever takes in work first, whoever stores it last. */
  stop(): Promise<void>;
}

const root = resolve(import.meta.dirname, '..');
const stopOrder = ['gateway', 'pusher', 'logic', 'task', 'repo'];

/** The five services of a profile; `rerouted` may send them to their servers by another way. */
export function createServices(
  profile: Profile,
  servers: RunningServers,
  progress: Progress,
  rerouted: (plans: ServicePlan[]) => ServicePlan[] = (plans) => plans,
): Services {
  const { supervisor } = servers;
  const plans = rerouted(servicePlans(profile, servers.addresses, servers.keys));

  const startOne = (plan: ServicePlan) =>
    progress.step(`${plan.name} is ready`, () =>
      supervisor.start({
        name: plan.name,
        command: process.execPath,
        args: [...plan.nodeOptions, plan.entry],
        env: plan.env,
        cwd: root,
        isReady: () => answersOk(plan.readyUrl),
        readyWithinMs: 60_000,
        // A service gives itself 30 s to drain.
        stopWithinMs: 35_000,
        startAttempts: 3,
      }),
    );

  /** Runs a program that ends by itself, with the environment of the service it belongs to. */
  async function runOnce(title: string, service: string, entry: string): Promise<void> {
    const log = supervisor.logFile(title.toLowerCase());
    const env = plans.find(({ name }) => name === service)?.env;
    const code = await progress.step(title, () =>
      runLogged(process.execPath, [entry], { log, env: { ...env }, cwd: root }),
    );
    if (code !== 0) throw new Problem(`${title} failed; the end of ${log} says why:`, lastLines(log));
  }

  return {
    plans,

    async start() {
      await Promise.all([
        runOnce('Migrations', 'repo', 'services/repo/migrate.ts'),
        runOnce('Provisioning', 'task', 'services/task/provision.ts'),
      ]);
      const [repo, ...others] = plans;
      if (repo !== undefined) await startOne(repo);
      await Promise.all(others.map(startOne));
    },

    async stop() {
      for (const service of stopOrder) {
        const names = plans.map((plan) => plan.name).filter((name) => name.replace(/-\d+$/, '') === service);
        await Promise.all(names.map((name) => supervisor.stop(name)));
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
