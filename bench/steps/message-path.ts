import type { Figure } from '../report/result.ts';
import type { Stage } from '../system/stages.ts';

type PathStage = { name: string; service: string; metric: string; labels?: string };

/** The stages of a message from its frame to the gateway of its recipients, in their order. They do not overlap. */
const path: PathStage[] = [
  { name: 'wait for a produce', service: 'gateway', metric: 'gochat_gateway_upstream_wait_seconds' },
  {
    name: 'through the broker to logic',
    service: 'logic',
    metric: 'gochat_record_transit_seconds',
    labels: 'topic="gochat.messages.upstream"',
  },
  { name: 'wait for a save', service: 'logic', metric: 'gochat_upstream_wait_seconds' },
  { name: 'save', service: 'logic', metric: 'gochat_save_duration_seconds' },
  { name: 'recipients, wait for a produce', service: 'logic', metric: 'gochat_downstream_wait_seconds' },
  {
    name: 'through the broker to the gateway',
    service: 'gateway',
    metric: 'gochat_record_transit_seconds',
    labels: 'topic="gochat.messages.downstream"',
  },
];

const acknowledgement: PathStage = {
  name: 'acknowledged after',
  service: 'gateway',
  metric: 'gochat_gateway_ack_seconds',
};

/**
 * Where the time of a message goes, by the services' own metrics: the mean of each stage in milliseconds, and of the
 * whole way to the acknowledgement, which may leave after the save. A stage is measured once per batch, for its oldest
 * record. None if the metrics are not reachable.
 */
export function pathFigures(stages: readonly Stage[]): Figure[] {
  if (meanMs(stages, acknowledgement) === undefined) return [];
  return [...path, acknowledgement].map((stage) => ({
    name: `path: ${stage.name}`,
    value: Math.round((meanMs(stages, stage) ?? 0) * 100) / 100,
    unit: 'ms',
    better: 'neither',
  }));
}

/** The mean over all processes of the service. */
function meanMs(stages: readonly Stage[], { service, metric, labels = '' }: PathStage): number | undefined {
  const found = stages.filter(
    (stage) => stage.service.startsWith(service) && stage.metric === metric && stage.labels === labels,
  );
  const count = found.reduce((sum, stage) => sum + stage.count, 0);
  return count === 0
    ? undefined
    : (found.reduce((sum, stage) => sum + stage.mean * stage.count, 0) / count) * 1000;
}
