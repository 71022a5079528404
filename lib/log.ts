import { type Logger, pino } from 'pino';

export type { Logger };

/** A service's logger: one JSON object a line on stdout. Secrets never go into a log call; as a second line of
 * defence the names under which they could travel are redacted. */
export const createLogger = (service: string, level = 'info'): Logger =>
  pino({
    name: service,
    level,
    redact: {
      paths: [
        'password',
        'token',
        'accessToken',
        'refreshToken',
        'authorization',
        'req.headers.authorization',
      ],
      censor: '[redacted]',
    },
  });
