import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { pusherConfig } from './config.ts';
import { startPusher } from './service.ts';

const config = loadConfig(pusherConfig);
const log = createLogger('pusher', config.LOG_LEVEL);
await runService(log, () => startPusher(config, log));
