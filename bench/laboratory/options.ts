import { parseArgs } from 'node:util';

export type Options = {
  /** Names of scenarios; empty means all. */
  scenarios: string[];
  gateways: string[] | undefined;
  /** How the system that the bench starts looks; said, it starts one even beside another. */
  own: { gateways: number; logics: number; core: boolean; fresh: boolean; wanted: boolean };
  /** Seconds of load before the first scenario, in a system that was just started. */
  heat: number;
  /** Load processes. */
  processes: number;
  /** Seconds of a measurement, and of the warm-up before it. */
  seconds: number;
  warmUp: number;
  /** Seconds for which a sustained limit must hold, and of the short probes on the way to it. */
  hold: number;
  probe: number;
  /** 1:1 messages a second. */
  rates: number[];
  /** Pairs of friends who write to each other. */
  pairs: number;
  /** The highest rate that the ladder tries. */
  most: number;
  connections: number[];
  storm: number;
  /** Rows of a page of the conversation list, and users who ask for it. */
  rows: number;
  readers: number;
  /** What each of them has, where it can be seeded. */
  conversations: number;
  /** Messages in the long conversation. */
  depth: number;
  fanoutMembers: number;
  fanoutOnline: number;
  disconnects: number;
  /** Messages, conversations and users up to which the growth scenarios go. */
  growMessages: number[];
  growConversations: number[];
  growUsers: number[];
  /** 1:1 messages a second and calls a second at every size of the growth scenarios. */
  growRate: number;
  growCalls: number;
  /** The 1:1 limit that overload multiplies; 0 measures it first. */
  limit: number;
  /** Seconds beyond the limit, and how many times the limit. */
  overload: number;
  times: number;
  /** Repetitions of a flow. */
  flows: number;
  /** Base URL of a gateway of another system, which `versus` compares this one with. */
  versus: string | undefined;
  /** How often `versus` measures each of them. */
  rounds: number;
  compare: string | undefined;
  result: string | undefined;
};

export const usage = `npm run bench -- [quick | SCENARIO …] [OPTION …]     (bench/README.md explains what is measured)

  quick                 every scenario that fits into about two minutes, with little load
  --gateways URL[,URL]  where the system is (GATEWAY_URL, or what runs in GOCHAT_HOME; else one is started)
  --gateways-count 1 --logics 1     processes of the system that is started; said, one is started in any case
  --apart               im-repo and im-logic as processes of their own, as they are with --logics 2
  --fresh               the same, and what earlier runs have stored in it is wiped
  --heat 60             seconds of load before the first scenario there: a cold broker takes most of a core
  --versus URL --rounds 9           another system that runs; each is measured so often, in turn
  --compare OLD.json    shows what changed against an earlier result
  --result NEW.json     with --compare: compares these two and runs nothing
  --processes 1         load processes
  --seconds 20 --warm-up 5          length of a measurement and of the warm-up before it
  --hold 60 --probe 10              how long a sustained limit must hold; the probes on the way to it
  --rates 400,1000,2000 --pairs 200 1:1 messages a second, and between how many pairs
  --most 12000                      the highest 1:1 rate that the ladder tries
  --connections 2000,5000,10000,15000   idle sockets
  --storm 1000          sockets that reconnect at once
  --rows 50 --readers 200 --conversations 500   rows of a list, users who read it, conversations of each
  --depth 1000000       messages in the long conversation
  --fanout-members 2000 --fanout-online 1000
  --disconnects 2000    users who vanish at once
  --grow-messages 1000,10000,100000,1000000   sizes in growth-messages, and so on
  --grow-conversations 10,100,1000,10000
  --grow-users 1000,10000,100000,1000000
  --grow-rate 200 --grow-calls 100  messages and calls a second at each of them
  --limit 0             1:1 messages a second that the system bears, for overload; 0 measures it
  --overload 300 --times 3          seconds of overload, and how many times the limit
  --flows 50            repetitions of a flow`;

const standard = {
  processes: '1',
  seconds: '20',
  'warm-up': '5',
  hold: '60',
  probe: '10',
  rates: '400,1000,2000',
  pairs: '200',
  most: '12000',
  connections: '2000,5000,10000,15000',
  storm: '1000',
  rows: '50',
  readers: '200',
  conversations: '500',
  depth: '1000000',
  'fanout-members': '2000',
  'fanout-online': '1000',
  disconnects: '2000',
  flows: '50',
  'gateways-count': '1',
  logics: '1',
  heat: '60',
  'grow-messages': '1000,10000,100000,1000000',
  'grow-conversations': '10,100,1000,10000',
  'grow-users': '1000,10000,100000,1000000',
  'grow-rate': '200',
  'grow-calls': '100',
  limit: '0',
  overload: '300',
  times: '3',
  rounds: '9',
};

/** What `quick` sets, unless it was said otherwise. */
const quick: Partial<typeof standard> = {
  seconds: '5',
  'warm-up': '1',
  hold: '10',
  probe: '4',
  rates: '400',
  pairs: '50',
  most: '4000',
  connections: '500',
  storm: '100',
  readers: '40',
  conversations: '100',
  depth: '20000',
  flows: '15',
  heat: '10',
  'grow-messages': '1000,10000',
  'grow-conversations': '10,100',
  'grow-users': '1000,10000',
  overload: '20',
};

/** 0 means something for these. */
const mayBeZero = ['limit'];

const quickScenarios = [
  'one-to-one',
  'ladder',
  'group-latency',
  'idle-connections',
  'reconnect-storm',
  'conversation-list',
  'history',
  'friend-request',
];

/** Reads the command line. Throws one sentence about what is wrong with it. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, known: readonly string[]): Options {
  const strings: Record<string, { type: 'string' | 'boolean' }> = Object.fromEntries(
    [...Object.keys(standard), 'gateways', 'versus', 'compare', 'result'].map((name) => [
      name,
      { type: 'string' },
    ]),
  );
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: Object.assign(strings, { fresh: { type: 'boolean' }, apart: { type: 'boolean' } }),
  });
  const isQuick = positionals.includes('quick');
  const named = positionals.filter((name) => name !== 'quick');
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`There is no scenario ${unknown}; there are ${known.join(', ')}.`);

  if (named.includes('versus') && typeof values.versus !== 'string')
    throw new Error('versus compares with another system: --versus names its gateway.');

  const text = (name: keyof typeof standard) =>
    String(values[name] ?? (isQuick ? quick[name] : undefined) ?? standard[name]);
  const number = (name: keyof typeof standard) => wholeNumber(name, text(name));
  const numbers = (name: keyof typeof standard) =>
    text(name)
      .split(',')
      .map((part) => wholeNumber(name, part));
  const gateways = values.gateways ?? env.GATEWAY_URL;
  const ownWanted =
    values.fresh === true ||
    values.apart === true ||
    values['gateways-count'] !== undefined ||
    values.logics !== undefined;
  if (ownWanted && values.gateways !== undefined)
    throw new Error(
      '--gateways names a system: --fresh, --apart, --gateways-count and --logics are for one of its own.',
    );
  return {
    scenarios:
      named.length > 0 ? named : isQuick ? quickScenarios : known.filter((name) => name !== 'versus'),
    gateways:
      gateways === undefined
        ? undefined
        : String(gateways)
            .split(',')
            .map((url) => url.replace(/\/$/, '')),
    own: {
      gateways: number('gateways-count'),
      logics: number('logics'),
      core: values.apart !== true && number('logics') === 1,
      fresh: values.fresh === true,
      wanted: ownWanted,
    },
    heat: number('heat'),
    growMessages: numbers('grow-messages'),
    growConversations: numbers('grow-conversations'),
    growUsers: numbers('grow-users'),
    growRate: number('grow-rate'),
    growCalls: number('grow-calls'),
    limit: number('limit'),
    overload: number('overload'),
    times: number('times'),
    processes: number('processes'),
    seconds: number('seconds'),
    warmUp: number('warm-up'),
    hold: number('hold'),
    probe: number('probe'),
    rates: numbers('rates'),
    pairs: number('pairs'),
    most: number('most'),
    connections: numbers('connections'),
    storm: number('storm'),
    rows: number('rows'),
    readers: number('readers'),
    conversations: Math.max(number('conversations'), number('rows')),
    depth: number('depth'),
    fanoutMembers: number('fanout-members'),
    fanoutOnline: number('fanout-online'),
    disconnects: number('disconnects'),
    flows: number('flows'),
    versus: optional(values.versus),
    rounds: number('rounds'),
    compare: optional(values.compare),
    result: optional(values.result),
  };
}

const optional = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,8}$/.test(text) || (Number(text) === 0 && !mayBeZero.includes(name))) {
    throw new Error(`--${name} takes whole numbers above 0, not "${text}".`);
  }
  return Number(text);
}
