import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * A service's logger: one JSON object per line on stdout. Code must never log a secret; as a second line of defence,
 * the logger redacts fields whose names suggest one.
 */
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
