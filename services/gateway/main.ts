import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { readConfig } from './config.ts';
import { startGateway } from './service.ts';

const log = createLogger('gateway', process.env.LOG_LEVEL);
await runService(log, () => startGateway(readConfig(), log));
