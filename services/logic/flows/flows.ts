// Room: calls to Temporal: logic starts, updates and queries flows here. The flows themselves are in workflows/.

import { hash, randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  type UpdateDefinition,
  WithStartWorkflowOperation,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { fault, GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembers,
  changeMembersStart,
} from '../../../workflows/change-members/contract.ts';
import type { Refusal } from '../../../workflows/contracts/refusal.ts';
import {
  type CreateGroupArgs,
  type CreateGroupResult,
  createGroup,
  createGroupStart,
} from '../../../workflows/create-group/contract.ts';
import { eraseUser, eraseUserStart } from '../../../workflows/erase-user/contract.ts';
import {
  type DecideResult,
  friendRequest,
  friendRequestStart,
  type RequestInput,
  type RequestResult,
  type WithdrawResult,
} from '../../../workflows/friend-request/contract.ts';
import { createSharedCalls } from './shared-calls.ts';

type Ok<R> = R extends { ok: true } ? R : never;
type Pair = readonly [string, string];

export type Flows = ReturnType<typeof connectFlows>;

/** Callers wait this long for a flow's answer. The flow continues after that. */
const deadlineMs = 8000;

/**
 * Calls to the flows whose answers users wait for. Each call starts its flow or finds the running one, and answers the
 * flow's answer. The connection is opened at the first call, so that nothing else depends on Temporal.
 */
export function connectFlows(options: { address: string; namespace: string; log: Logger; metrics: Metrics }) {
  const { log } = options;
  const connection = Connection.lazy({
    address: options.address,
    connectTimeout: '3s',
    // Five attempts take about two seconds: while Temporal is down, callers soon get UNAVAILABLE.
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 5 }))],
  });
  const client = new Client({ connection, namespace: options.namespace });
  const duration = options.metrics.latency('gochat_flow_call_duration_seconds', 'Time of a call to a flow.', [
    'flow',
    'result',
  ]);

  const inFlight = new Set<Promise<unknown>>();
  const shared = createSharedCalls();

  /**
   * Registers a call, so that `close` waits for it: a retry of the client on a closed connection crashes the process.
   */
  function tracked<T>(call: Promise<T>): Promise<T> {
    const settled = call.then(
      () => undefined,
      () => undefined,
    );
    inFlight.add(settled);
    void settled.then(() => inFlight.delete(settled));
    return call;
  }

  /** Temporal's answer to a call. Rejects with UNAVAILABLE if there is none, with INTERNAL_ERROR if the flow failed. */
  async function answered<T>(flow: string, call: () => Promise<T>): Promise<T> {
    const end = duration.startTimer({ flow });
    try {
      // The client's retries may outlive its deadline, so there is a second timer.
      const asked = tracked(client.withDeadline(Date.now() + deadlineMs, call));
      const answer = await withDeadline(asked, deadlineMs + 200, throwUnavailable);
      end({ result: 'ok' });
      return answer;
    } catch (error) {
      end({ result: 'failed' });
      log.warn({ err: error, flow }, 'flow did not answer');
      if (error instanceof WorkflowUpdateFailedError && !isGrpcServiceError(error.cause)) {
        throw fault(error);
      }
      throw unavailable();
    }
  }

  /**
   * Starts a flow or finds the running one, sends it an update, and answers the result. Throws a refusal as its
   * error.
   */
  async function execute<R extends { ok: boolean }, Args extends unknown[]>(
    flow: string,
    definition: UpdateDefinition<R, Args>,
    call: { updateId: string; args: Args; start: WithStartWorkflowOperation<FlowFunction> },
  ): Promise<Ok<R>> {
    const result = await answered(flow, () =>
      client.workflow.executeUpdateWithStart(definition.name, {
        updateId: call.updateId,
        args: call.args,
        startWorkflowOperation: call.start,
      }),
    );
    return accepted(result as R);
  }

  return {
    requestFriend: (input: {
      requesterId: string;
      targetId: string;
      textsId?: string | undefined;
      idempotencyKey: string;
    }) => {
      const { requesterId, targetId, textsId } = input;
      const attempt = attemptOf(requesterId, input.idempotencyKey);
      const command = { update: 'request', input: { requesterId, targetId, textsId, attempt } } as const;
      return shared(`request ${requesterId} ${targetId}`, () =>
        execute<RequestResult, [RequestInput]>('request', friendRequest.request, {
          updateId: attempt,
          args: [command.input],
          start: friendRequestOperation([requesterId, targetId], command),
        }),
      );
    },

    decideFriendRequest: (
      pair: Pair,
      decision: { requestId: string; actorId: string; action: 'accept' | 'reject' },
    ) => {
      const attempt = attemptOf(decision.actorId, '');
      const command = { update: 'decide', input: { ...decision, attempt } } as const;
      return shared(`decide ${decision.requestId} ${decision.actorId} ${decision.action}`, () =>
        execute<DecideResult, [typeof command.input]>('decide', friendRequest.decide, {
          updateId: attempt,
          args: [command.input],
          start: friendRequestOperation(pair, command),
        }),
      );
    },

    withdrawFriendRequest: (pair: Pair, withdrawal: { requestId: string; actorId: string }) => {
      const attempt = attemptOf(withdrawal.actorId, '');
      const command = { update: 'withdraw', input: { ...withdrawal, attempt } } as const;
      return shared(`withdraw ${withdrawal.requestId} ${withdrawal.actorId}`, () =>
        execute<WithdrawResult, [typeof command.input]>('withdraw', friendRequest.withdraw, {
          updateId: attempt,
          args: [command.input],
          start: friendRequestOperation(pair, command),
        }),
      );
    },

    createGroup: (args: CreateGroupArgs) => {
      const { args: startArgs, ...start } = createGroupStart(args);
      return execute<CreateGroupResult, []>('createGroup', createGroup.result, {
        // A new id each time: a closed run would answer a known id with its old outcome.
        updateId: randomUUID(),
        args: [],
        start: new WithStartWorkflowOperation<FlowFunction>(createGroup.workflowType, {
          ...start,
          args: startArgs,
        }),
      });
    },

    changeMembers: ({
      idempotencyKey,
      ...change
    }: Omit<ChangeMembersArgs, 'key'> & { idempotencyKey: string }) => {
      const key = attemptOf(change.actorId, idempotencyKey);
      const { args, ...start } = changeMembersStart({ ...change, key });
      return execute<ChangeMembersResult, []>('changeMembers', changeMembers.result, {
        // The same id on purpose: a closed run answers a repeated request as it answered the first one.
        updateId: key,
        args: [],
        start: new WithStartWorkflowOperation<FlowFunction>(changeMembers.workflowType, { ...start, args }),
      });
    },

    /** Resolves when Temporal has stored the start of the flow, which will then be carried out. */
    eraseUser: async (userId: string, redactMessages: boolean): Promise<void> => {
      await answered('eraseUser', () =>
        client.workflow.start(eraseUser.workflowType, eraseUserStart(userId, redactMessages)),
      );
    },

    /** True if Temporal answers within 1 s. */
    isUp: async (): Promise<boolean> => {
      const answer = tracked(
        connection.withDeadline(Date.now() + 1000, () => connection.workflowService.getSystemInfo({})),
      );
      return answer.then(
        () => true,
        () => false,
      );
    },

    async close(): Promise<void> {
      await Promise.all(inFlight);
      await connection.close();
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the client starts a workflow by name; its contract types the arguments.
type FlowFunction = (...args: any[]) => Promise<unknown>;

function friendRequestOperation(pair: Pair, command: Parameters<typeof friendRequestStart>[1]) {
  const { args, ...start } = friendRequestStart(pair, command);
  return new WithStartWorkflowOperation<FlowFunction>(friendRequest.workflowType, { ...start, args });
}

/**
 * The id of an attempt: the same for all requests with one Idempotency-Key, random for a request without a key. The key
 * is hashed, since clients may put anything into it, and this id is visible in histories and ids of flows.
 */
const attemptOf = (userId: string, key: string): string =>
  key === '' ? randomUUID() : `${userId}/${hash('sha256', `${userId}/${key}`, 'base64url')}`;

/** The result of a flow, or its refusal thrown as a GoChatError. */
function accepted<R extends { ok: boolean }>(result: R): Ok<R> {
  if (result.ok) return result as Ok<R>;
  const { code, message, retryAt } = result as unknown as Refusal;
  throw new GoChatError(
    code,
    message,
    [],
    retryAt === undefined ? undefined : Math.max(0, retryAt - Date.now()),
  );
}

const throwUnavailable = (): never => {
  throw unavailable();
};

const unavailable = () =>
  new GoChatError('UNAVAILABLE', 'This takes longer than usual. Send the same request again.');
