import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { readLogicConfig } from './config.ts';
import { startLogic } from './service.ts';

const config = readLogicConfig();
const log = createLogger('logic', config.LOG_LEVEL);

await runService(log, () => startLogic(config, log));
