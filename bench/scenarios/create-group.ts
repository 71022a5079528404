import { conversationType } from '../../lib/domain/enumerations.ts';
import type { Scenario } from '../laboratory/laboratory.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram } from '../measure/histogram.ts';
import { latencyFigures } from '../steps/steps.ts';

const members = 200;

/** One caller creates groups and dissolves them, one after the other. */
export const createGroup: Scenario = {
  name: 'create-group',
  title: `A group of ${members} created`,
  async run(laboratory, report) {
    const [owner, ...others] = await laboratory.accounts.take(members);
    if (!owner) throw new Error('a group needs an owner');
    const memberIds = others.map(({ userId }) => userId);
    const latency = createHistogram();
    const measured = await laboratory.measure(async () => {
      for (let turn = 0; turn < laboratory.options.flows; turn += 1) {
        const startedAt = monotonicMicros();
        const { conversation } = await laboratory.rest.call<{
          conversation: { id: string; memberCount: number };
        }>('POST', '/conversations', owner.accessToken, {
          type: conversationType.group,
          name: `bench ${turn}`,
          memberIds,
        });
        latency.record(monotonicMicros() - startedAt);
        if (conversation.memberCount !== members) {
          report.fault(`the answer for a group of ${members} names ${conversation.memberCount} members`);
        }
        await laboratory.rest.call('DELETE', `/conversations/${conversation.id}`, owner.accessToken);
      }
    });
    report.step({
      label: 'one caller',
      figures: latencyFigures('created', latency.data()),
      latencies: [{ name: 'created', data: latency.data() }],
      usage: measured.usage,
      stages: measured.stages,
      notes: [],
    });
  },
};
