/** The Temporal task queues; im-task runs one worker per queue. */
export const taskQueues = {
  /** Flows whose result a client waits for. */
  interactive: 'gochat-interactive',
  fanout: 'gochat-fanout',
  maintenance: 'gochat-maintenance',
} as const;
