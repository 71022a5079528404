import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { readLogicConfig } from '../logic/config.ts';
import { pusherConfig } from '../pusher/config.ts';
import { repoConfig } from '../repo/config.ts';
import { startCore } from './service.ts';

const { env } = process;
const repo = loadConfig(repoConfig, { ...env, METRICS_PORT: env.REPO_METRICS_PORT });
const logic = readLogicConfig({ ...env, METRICS_PORT: env.LOGIC_METRICS_PORT });
const pusher = loadConfig(pusherConfig, { ...env, METRICS_PORT: env.PUSHER_METRICS_PORT });
const log = createLogger('core', logic.LOG_LEVEL);

await runService(log, () => startCore({ repo, logic, pusher }));
