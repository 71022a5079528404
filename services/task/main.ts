import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { taskConfig } from './config.ts';
import { startTask } from './service.ts';

const config = loadConfig(taskConfig);
const log = createLogger('task', config.LOG_LEVEL);
await runService(log, () => startTask(config, log));
