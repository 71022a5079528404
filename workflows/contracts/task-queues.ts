/** The queues on which Temporal hands out work; im-task runs a worker for each. */
export const taskQueues = {
  /** Flows that somebody waits for. */
  interactive: 'gochat-interactive',
  fanout: 'gochat-fanout',
  maintenance: 'gochat-maintenance',
} as const;
