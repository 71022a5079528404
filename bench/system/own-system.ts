import { performance } from 'node:perf_hooks';
import { generatePrismaClient } from '../../scripts/generate.ts';
import { createProgress, type Progress } from '../../scripts/process/progress.ts';
import { createServers } from '../../scripts/system/servers.ts';
import { createServices, type Services } from '../../scripts/system/services.ts';
import { benchProfile, servicePorts } from '../../scripts/topology/topology.ts';
import { describeSystem, type Size, type System } from './system.ts';

export type OwnSystem = {
  /** Resolves when all services are ready. */
  start(): Promise<System>;
  /** Safe at any time, also during a start. */
  stop(): Promise<void>;
};

/** The start checks the ports of this many processes, so that a scenario can enlarge the system. */
const largest = { gateways: 2, logics: 2 };

/**
 * A complete system for benchmarks, if the user runs none: with its own ports and data, without rate limits. It keeps
 * its data for the next run, unless `fresh` is set.
 */
export function createOwnSystem(env: NodeJS.ProcessEnv, size: Size, fresh: boolean): OwnSystem {
  const parts: { title: string; seconds: number }[] = [];
  const progress = timed(createProgress(), parts);
  const maxSize = {
    gateways: Math.max(size.gateways, largest.gateways),
    logics: Math.max(size.logics, largest.logics),
    core: false,
  };
  const servers = createServers(benchProfile(env, size), progress, {
    ports: servicePorts(benchProfile(env, maxSize)),
    fresh,
  });
  let services: Services | undefined;

  return {
    async start() {
      const startedAt = performance.now();
      const [running] = await Promise.all([servers.begin(), generatePrismaClient()]);
      const startServices = async (wanted: Size): Promise<System> => {
        const profile = benchProfile(env, wanted);
        services = createServices(profile, running, progress);
        await services.start();
        return describeSystem(profile);
      };
      const system = await startServices(size);
      system.start = { seconds: (performance.now() - startedAt) / 1000, parts: [...parts] };
      system.resize = async (wanted) => {
        await services?.stop();
        const { gateways, metrics } = await startServices(wanted);
        Object.assign(system, { gateways, metrics });
      };
      return system;
    },
    async stop() {
      await services?.stop();
      await servers.stop();
    },
  };
}

/** A progress that also writes down how long each step took. */
function timed(progress: Progress, parts: { title: string; seconds: number }[]): Progress {
  return {
    say: progress.say,
    async step(title, work) {
      const from = performance.now();
      const result = await progress.step(title, work);
      parts.push({ title, seconds: (performance.now() - from) / 1000 });
      return result;
    },
  };
}
