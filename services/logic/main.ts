import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { logicConfig } from './config.ts';
import { startLogic } from './server.ts';

const config = loadConfig(logicConfig);
const log = createLogger('logic', config.LOG_LEVEL);

await runService(log, () => startLogic(config, log));
