import type { Input, State } from '../model/input.ts';
import type { Api } from '../transport/api.ts';
import { newId } from '../transport/ids.ts';
import { allPages } from '../transport/pages.ts';
import type { Calls, Conversation, FriendRequest, User } from '../wire/wire.ts';

export type ActionDeps = {
  api: Api;
  state: State;
  dispatch(input: Input): Promise<void>;
  /** In place of the platform's. */
  fetch?: typeof globalThis.fetch;
};

/** Friends, requests and blocks. */
export function createFriends({ api, dispatch }: ActionDeps) {
  async function decide(requestId: string, action: 1 | 2) {
    const answer = await api('PUT /friends/requests/{requestId}', { path: { requestId }, body: { action } });
    if (answer.conversation) await dispatch({ type: 'conversation', conversation: answer.conversation });
    return answer;
  }

  return {
    list: () => allPages((query) => api('GET /friends', { query }), 'friends'),
    requests: (filter: { direction?: 'incoming' | 'outgoing'; status?: number } = {}) =>
      allPages((query) => api('GET /friends/requests', { query: { ...filter, ...query } }), 'requests'),
    async request(userId: string, message?: string): Promise<FriendRequest> {
      const body = { targetUserId: userId, message };
      const { request } = await api('POST /friends/requests', { body, idempotencyKey: newId() });
      return request;
    },
    accept: (requestId: string) => decide(requestId, 1),
    reject: (requestId: string) => decide(requestId, 2),
    withdraw: (requestId: string) => api('DELETE /friends/requests/{requestId}', { path: { requestId } }),
    remove: (userId: string) => api('DELETE /friends/{userId}', { path: { userId } }),
    remark: (userId: string, remark: string) =>
      api('PUT /friends/{userId}', { path: { userId }, body: { remark } }),
    block: (userId: string) => api('PUT /blocks/{userId}', { path: { userId } }),
    unblock: (userId: string) => api('DELETE /blocks/{userId}', { path: { userId } }),
    blocked: () => allPages((query) => api('GET /blocks', { query }), 'users'),
  };
}

type GroupFields = Calls['PATCH /conversations/{id}']['body'];

/** Groups and their members. */
export function createGroups({ api, dispatch, state }: ActionDeps) {
  async function shown({ conversation }: { conversation: Conversation }): Promise<Conversation> {
    await dispatch({ type: 'conversation', conversation });
    return conversation;
  }
  return {
    create: async (group: { name: string; memberIds: string[]; avatarUrl?: string; description?: string }) =>
      shown(await api('POST /conversations', { body: { type: 2, ...group }, idempotencyKey: newId() })),
    /** The conversation with a friend: the same one every time. */
    direct: async (userId: string) =>
      shown(await api('POST /conversations', { body: { type: 1, memberIds: [userId] } })),
    update: async (id: string, body: GroupFields) =>
      shown(await api('PATCH /conversations/{id}', { path: { id }, body })),
    choose: async (id: string, body: Calls['PATCH /conversations/{id}/me']['body']) =>
      shown(await api('PATCH /conversations/{id}/me', { path: { id }, body })),
    leave: (id: string) =>
      api('DELETE /conversations/{id}/members/{userId}', { path: { id, userId: state.me?.id ?? '' } }),
    dissolve: (id: string) => api('DELETE /conversations/{id}', { path: { id } }),
    transfer: async (id: string, userId: string) =>
      shown(await api('PUT /conversations/{id}/owner', { path: { id }, body: { userId } })),
  };
}

export function createMembers({ api }: ActionDeps) {
  const member = (id: string, userId: string) => ({ path: { id, userId } });
  return {
    add: (id: string, userIds: string[]) =>
      api('POST /conversations/{id}/members', {
        path: { id },
        body: { userIds },
        idempotencyKey: newId(),
      }),
    remove: (id: string, userId: string) =>
      api('DELETE /conversations/{id}/members/{userId}', member(id, userId)),
    setRole: (id: string, userId: string, role: 1 | 2) =>
      api('PATCH /conversations/{id}/members/{userId}', { ...member(id, userId), body: { role } }),
    mute: (id: string, userId: string, muted = true) =>
      api('PATCH /conversations/{id}/members/{userId}', { ...member(id, userId), body: { muted } }),
  };
}

export function createUsers({ api, dispatch }: ActionDeps) {
  return {
    async search(q: string, limit = 20) {
      const { users } = await api('GET /users/search', { query: { q, limit } });
      return users;
    },
    get: (userId: string) => api('GET /users/{userId}', { path: { userId } }),
    /** Changes the user's own profile. */
    async updateMe(body: Calls['PUT /users/profile']['body']): Promise<User> {
      const user = await api('PUT /users/profile', { body });
      await dispatch({ type: 'signed-in', user });
      return user;
    },
  };
}
