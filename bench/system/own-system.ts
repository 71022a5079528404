import { generatePrismaClient } from '../../scripts/generate.ts';
import { createProgress } from '../../scripts/process/progress.ts';
import { createServers } from '../../scripts/system/servers.ts';
import { createServices, type Services } from '../../scripts/system/services.ts';
import { benchProfile, servicePorts } from '../../scripts/topology/topology.ts';
import { describeSystem, type Size, type System } from './system.ts';

export type OwnSystem = {
  /** Resolves when everything is ready. */
  start(): Promise<System>;
  /** Safe at any moment, also in the middle of a start. */
  stop(): Promise<void>;
};

/** Ports are free for so many of each, so that a system can grow while it is measured. */
const largest = { gateways: 2, logics: 2 };

/**
 * A whole system for measuring, when the user runs none: on ports and with data of its own, without limits. What it
 * stores is kept for the next run unless `fresh`.
 */
export function createOwnSystem(env: NodeJS.ProcessEnv, size: Size, fresh: boolean): OwnSystem {
  const progress = createProgress();
  const most = {
    gateways: Math.max(size.gateways, largest.gateways),
    logics: Math.max(size.logics, largest.logics),
    core: false,
  };
  const servers = createServers(benchProfile(env, size), progress, {
    ports: servicePorts(benchProfile(env, most)),
    fresh,
  });
  let services: Services | undefined;

  return {
    async start() {
      const running = await servers.start();
      await generatePrismaClient();
      const startServices = async (wanted: Size): Promise<System> => {
        const profile = benchProfile(env, wanted);
        services = createServices(profile, running, progress);
        await services.start();
        return describeSystem(profile);
      };
      const system = await startServices(size);
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
