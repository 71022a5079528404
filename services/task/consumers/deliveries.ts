import type { DownstreamProducer } from '../../../lib/kafka/downstream-producer.ts';
import type { BatchProducer } from '../../../lib/kafka/group-commit.ts';
import type { Logger } from '../../../lib/log.ts';

/**
 * Sends delivery records to the gateways that im-repo named. If a gateway's topic is missing or was deleted, at most
 * one batch fails for the other gateways, and the activities send it again.
 */
export function createDeliveries(deps: { downstream: DownstreamProducer; log: Logger }): BatchProducer {
  const { downstream, log } = deps;
  return {
    async sendBatch({ topicMessages = [] }) {
      try {
        const names = new Set(topicMessages.map(({ topic }) => topic));
        await downstream.lookUp(names, names);
        await downstream.sendBatch(topicMessages);
      } catch (error) {
        log.warn({ err: error }, 'cannot produce; connecting a new producer');
        await downstream
          .renew()
          .catch((again: unknown) => log.warn({ err: again }, 'cannot connect a new producer'));
        throw error;
      }
    },
  };
}
