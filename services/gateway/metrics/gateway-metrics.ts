// Room: the metrics of a gateway. Other rooms record values here; this room reads no state and calls no service.

import type { Metrics } from '../../../lib/metrics.ts';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** All counters and histograms of a gateway except those of REST calls. */
export function createGatewayMetrics(metrics: Metrics) {
  return {
    framesIn: metrics.counter('gochat_gateway_frames_in_total', 'Frames that came from clients.', ['type']),
    framesOut: metrics.counter('gochat_gateway_frames_out_total', 'Frames written to sockets.'),
    errorFrames: metrics.counter('gochat_gateway_error_frames_total', 'Error frames sent.', ['code']),
    closes: metrics.counter('gochat_gateway_closes_total', 'Sockets closed, by close code.', ['code']),
    handshakesRefused: metrics.counter('gochat_gateway_handshakes_refused_total', 'Upgrades refused.', [
      'code',
    ]),
    connectionsRefused: metrics.counter(
      'gochat_gateway_connections_refused_total',
      'Connections closed before any request, because there were too many in all or from one address.',
    ),
    registration: metrics.latency(
      'gochat_gateway_registration_seconds',
      'Time from a socket to its registered session, when welcome is sent.',
    ),
    produceWait: metrics.latency(
      'gochat_gateway_upstream_wait_seconds',
      'Time that the oldest record of a produce waited for it.',
    ),
    produce: metrics.latency(
      'gochat_gateway_upstream_produce_seconds',
      'Time of one produce to the upstream topic.',
    ),
    produceBatch: metrics.size('gochat_gateway_upstream_batch_records', 'Records in one produce.'),
    ack: metrics.latency('gochat_gateway_ack_seconds', 'Time from a send-message frame to its message-ack.'),
    deliveries: metrics.counter(
      'gochat_gateway_deliveries_total',
      'Frames queued for sessions from downstream.',
    ),
    deliveryBatch: metrics.size(
      'gochat_gateway_delivery_batch_frames',
      'Frames caused by one downstream record.',
    ),
    staleRecords: metrics.counter(
      'gochat_gateway_stale_records_total',
      'Downstream records dropped: unreadable, or for an earlier process of this gateway.',
    ),
    presenceFlush: metrics.latency('gochat_gateway_presence_flush_seconds', 'Time of one presence flush.'),
    forwards: metrics.counter('gochat_gateway_push_forwards_total', 'Pushes forwarded to other gateways.', [
      'result',
    ]),
  };
}
