import type { Cluster, Consumer, PartitionAssigner } from 'kafkajs';
import kafkajs from 'kafkajs';
import type { Logger } from '../log.ts';

/** A method of kafkajs (2.2.4) that its types omit. With it, any client may remove a member from a group. */
type Coordinator = { leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown> };

/**
 * A consumer that removes its predecessors, the group's members with the same client id, before it joins. A predecessor
 * is an earlier start of this process that was killed, or an earlier run whose connection was lost. It would stay a
 * member until its session times out, and nobody would read its partitions meanwhile.
 *
 * A predecessor may still be alive: two processes have the same id, or the earlier start still drains. It learns of its
 * removal at its next heartbeat and joins again as a new member. The records that it has not committed are redelivered,
 * as after any failure.
 */
export function takeOver(
  group: { groupId: string; clientId: string; log: Logger },
  create: (partitionAssigners: PartitionAssigner[]) => Consumer,
): Consumer {
  const { groupId, clientId, log } = group;
  let cluster: Cluster | undefined;
  const consumer = create([
    // The default assigner. Wrapping it is the only way to get the consumer's cluster object from kafkajs.
    (given) => {
      cluster = given.cluster;
      return kafkajs.PartitionAssigners.roundRobin(given);
    },
  ]);

  async function removePredecessors(): Promise<void> {
    const { members } = await consumer.describeGroup();
    const predecessors = members.filter((member) => member.clientId === clientId);
    if (predecessors.length === 0) return;
    const coordinator = (await cluster?.findGroupCoordinator({ groupId })) as unknown as Coordinator;
    for (const { memberId } of predecessors) await coordinator.leaveGroup({ groupId, memberId });
    log.warn(
      { groupId, members: predecessors.length },
      'removed members of an earlier start that did not leave the group',
    );
  }

  return {
    ...consumer,
    async run(config) {
      await removePredecessors().catch((error: unknown) => {
        log.warn({ err: error, groupId }, 'cannot remove predecessors; their sessions must time out first');
      });
      await consumer.run(config);
    },
  };
}
