import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { runService } from '../../lib/service.ts';
import { repoConfig } from './config.ts';
import { startRepo } from './service.ts';

const config = loadConfig(repoConfig);
const log = createLogger('repo', config.LOG_LEVEL);

await runService(log, () => startRepo(config, log));
