import { randomUUID } from 'node:crypto';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import {
  type DecideResult,
  type FriendRequestCommand,
  friendRequest,
  friendRequestStart,
  type RequestResult,
  type WithdrawResult,
} from '../../../workflows/friend-request/contract.ts';

/** The commands of a pair, sent by update-with-start, as logic sends them. */
export function createFriendCalls(client: Client, [a, b]: readonly [string, string]) {
  const start = (opening: FriendRequestCommand) =>
    new WithStartWorkflowOperation(friendRequest.workflowType, friendRequestStart([a, b], opening));

  return {
    request(requesterId: string, attempt: string = randomUUID()): Promise<RequestResult> {
      const input = { attempt, requesterId, targetId: requesterId === a ? b : a, message: '' };
      return client.workflow.executeUpdateWithStart(friendRequest.request, {
        updateId: attempt,
        args: [input],
        startWorkflowOperation: start({ update: 'request', input }),
      });
    },
    decide(actorId: string, requestId: string, action: 'accept' | 'reject'): Promise<DecideResult> {
      const input = { attempt: randomUUID(), actorId, requestId, action };
      return client.workflow.executeUpdateWithStart(friendRequest.decide, {
        updateId: input.attempt,
        args: [input],
        startWorkflowOperation: start({ update: 'decide', input }),
      });
    },
    withdraw(actorId: string, requestId: string): Promise<WithdrawResult> {
      const input = { attempt: randomUUID(), actorId, requestId };
      return client.workflow.executeUpdateWithStart(friendRequest.withdraw, {
        updateId: input.attempt,
        args: [input],
        startWorkflowOperation: start({ update: 'withdraw', input }),
      });
    },
  };
}
