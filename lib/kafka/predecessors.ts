import type { Cluster, Consumer, PartitionAssigner } from 'kafkajs';
import kafkajs from 'kafkajs';
import type { Logger } from '../log.ts';

/** kafkajs (2.2.4) has it and its types leave it out. Any client may tell the broker that a member leaves. */
type Coordinator = { leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown> };

/**
 * A consumer that takes over at once from what went before it under its client id: a start of this process that was
 * killed, or one of its own runs that was cut off, stays a member of the group until its session times out, and nobody
 * reads its partitions meanwhile. So whoever is about to join first has these members leave. One that lives after all
 * (two processes were given the same id, or the last start still drains) is told at its next heartbeat and joins again
 * as a new member; what it did not commit comes a second time, as after any failure.
 */
export function takeOver(
  group: { groupId: string; clientId: string; log: Logger },
  create: (partitionAssigners: PartitionAssigner[]) => Consumer,
): Consumer {
  const { groupId, clientId, log } = group;
  let cluster: Cluster | undefined;
  const consumer = create([
    // The usual one. An assigner is what kafkajs shows a consumer's cluster to.
    (given) => {
      cluster = given.cluster;
      return kafkajs.PartitionAssigners.roundRobin(given);
    },
  ]);

  async function dismissPredecessors(): Promise<void> {
    const { members } = await consumer.describeGroup();
    const predecessors = members.filter((member) => member.clientId === clientId);
    if (predecessors.length === 0) return;
    const coordinator = (await cluster?.findGroupCoordinator({ groupId })) as unknown as Coordinator;
    for (const { memberId } of predecessors) await coordinator.leaveGroup({ groupId, memberId });
    log.warn(
      { groupId, members: predecessors.length },
      'took over from a start that did not leave its group',
    );
  }

  return {
    ...consumer,
    async run(config) {
      await dismissPredecessors().catch((error: unknown) => {
        log.warn({ err: error, groupId }, 'cannot look for predecessors; their sessions have to time out');
      });
      await consumer.run(config);
    },
  };
}
