import type { Friend } from '@gochat/sdk';
import { conversation, me, message, person, type Scene } from './pretend-client.ts';

const mei = person('2', '林美玲');
const omar = person('3', 'عمر حداد');
const tom = person('4', 'Tom Okafor');
const ann = person('5', 'Ann-Kathrin Vogel');
const minute = 60_000;

const group = conversation({
  id: 'c',
  name: 'Harbour launch',
  memberCount: 6,
  role: 3,
  lastSeqId: 12,
  announcement: 'Freeze on Thursday at noon. Release notes in the wiki.',
});

const talk = {
  conversation: group,
  reads: { '2': 9 },
  typing: ['4'],
  unreadCount: 0,
  messages: [
    message(
      1,
      tom,
      'Morning all. Staging is green since six, I left the dashboards open on the big screen.',
      {
        createdAt: Date.now() - 26 * 60 * minute,
      },
    ),
    message(2, tom, 'Details: https://status.example.com/harbour/4711?view=full', {
      createdAt: Date.now() - 26 * 60 * minute,
    }),
    message(3, mei, '太好了！我下午会再跑一遍压力测试，晚上把结果发到这里。', {
      reactions: [{ emoji: '🎉', count: 3, userIds: ['1', '4'] }],
    }),
    message(4, me, 'Thank you, Mei. Please take the **long** scenario too.', { editedAt: 1 }),
    message(5, me, 'And then we decide.'),
    message(6, omar, 'صباح الخير، سأراجع النصوص العربية قبل الظهر.', { replyToSeqId: 1 }),
    message(7, ann, '', { deleted: true }),
    message(8, ann, '@Ines Carvalho can you look at the copy for the sign-in page?', {
      mentions: ['1'],
      pinned: true,
    }),
    message(9, me, 'Looks good to me 👍', {
      replyToSeqId: 8,
      reactions: [{ emoji: '❤️', count: 1, userIds: ['5'] }],
    }),
    message(10, tom, '🚀'),
    message(11, me, 'On my way'),
    message(0, me, 'This one waits for the network', {
      clientMsgId: 'o1',
      status: 'queued',
      createdAt: Date.now(),
    }),
    message(0, me, 'This one was refused', {
      clientMsgId: 'o2',
      status: 'failed',
      createdAt: Date.now(),
      error: { code: 'MEMBER_MUTED', message: 'You are muted in this conversation.' },
    }),
  ],
};

const others = [
  {
    conversation: conversation({ id: 'd', type: 1, peer: mei, pinned: true }),
    messages: [message(4, mei, '[file] 会议纪要.pdf')],
    unreadCount: 3,
  },
  {
    conversation: conversation({ id: 'e', type: 1, peer: omar }),
    messages: [message(2, omar, 'شكراً جزيلاً!', { createdAt: Date.now() - 2 * 24 * 60 * minute })],
    draft: 'I will send you the',
  },
  {
    conversation: conversation({ id: 'f', name: 'Lunch', memberCount: 14, notifications: 'none' }),
    messages: [
      message(2, tom, 'Thai at half past twelve?', { createdAt: Date.now() - 9 * 24 * 60 * minute }),
    ],
    unreadCount: 128,
  },
  {
    conversation: conversation({ id: 'g', type: 3, name: 'World', memberCount: 12_402 }),
    messages: [message(2, ann, 'Hello from Lisbon', { createdAt: Date.now() - 400 * 24 * 60 * minute })],
  },
];

const friends: Friend[] = [mei, omar, tom, ann].map((one, index) => ({
  ...one,
  remark: '',
  online: index < 2,
  lastActiveAt: Date.now() - index * 55 * minute,
  conversationId: 'd',
}));

/** A hundred thousand messages: it must scroll like ten. */
const long = () =>
  Array.from({ length: 100_000 }, (_, index) =>
    message(
      index + 1,
      [tom, mei, me, omar][index % 4] ?? tom,
      `Message ${index + 1}. ${'More words. '.repeat(index % 9)}`,
      {
        createdAt: Date.now() - (100_000 - index) * 90_000,
      },
    ),
  );

/** Every state that somebody may see, by its name in the address. */
export const scenes: Record<string, Scene & { hash?: string }> = {
  chat: { rooms: [talk, ...others], hash: '#/c/c' },
  list: { rooms: [talk, ...others], hash: '#/' },
  'chat-offline': {
    rooms: [talk, ...others],
    connection: { state: 'offline', reason: 'UNAVAILABLE', retryAt: Date.now() + 9000 },
    hash: '#/c/c',
  },
  'chat-empty': { rooms: [{ conversation: group }, ...others], hash: '#/c/c' },
  'chat-muted': {
    rooms: [{ ...talk, conversation: { ...group, role: 1, muted: true } }, ...others],
    hash: '#/c/c',
  },
  'chat-missing': { rooms: others, hash: '#/c/unknown' },
  connecting: { connection: { state: 'connecting' }, hash: '#/' },
  empty: { hash: '#/' },
  people: { rooms: others, friends, hash: '#/people' },
  'people-empty': { hash: '#/people' },
  'chat-long': {
    get rooms() {
      return [{ conversation: { ...group, lastSeqId: 100_000 }, messages: long() }];
    },
    hash: '#/c/c',
  },
  settings: { rooms: others, hash: '#/settings' },
};
