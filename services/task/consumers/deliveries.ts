import type { DownstreamProducer } from '../../../lib/kafka/downstream-producer.ts';
import type { BatchProducer } from '../../../lib/kafka/group-commit.ts';
import type { Logger } from '../../../lib/log.ts';

/**
 * Sends delivery records to the gateways that im-repo named. One whose topic is missing, or vanished under way, costs the
 * others one failed batch at most, which its activities send again.
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
        log.warn({ err: error }, 'cannot produce now');
        await downstream
          .renew()
          .catch((again: unknown) => log.warn({ err: again }, 'cannot connect a producer'));
        throw error;
      }
    },
  };
}
