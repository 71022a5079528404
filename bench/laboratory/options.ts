import { parseArgs } from 'node:util';

export type Options = {
  /** Names of scenarios; empty means all. */
  scenarios: string[];
  gateways: string[] | undefined;
  /**
   * The size of the system that the benchmark starts. `wanted`: an option asks for one, so it starts even if another
   * runs.
   */
  own: { gateways: number; logics: number; core: boolean; fresh: boolean; wanted: boolean };
  /** Seconds of load before the first scenario, if the benchmark has started the system. */
  heat: number;
  /** The number of load processes. */
  processes: number;
  /** Seconds of a measurement, and of the warm-up before it. */
  seconds: number;
  warmUp: number;
  /** Seconds for which a rate must hold to count as sustained, and seconds of the short probes that look for it. */
  hold: number;
  probe: number;
  /** 1:1 messages per second. */
  rates: number[];
  /** Pairs of friends who send to each other. */
  pairs: number;
  /** The highest rate that the ladder tries. */
  most: number;
  /** Seconds from the start of the system until its CPU time at rest is measured, and for how long. */
  idleAfter: number;
  idle: number;
  connections: number[];
  storm: number;
  /** Rows of a page of the conversation list, and users who read it. */
  rows: number;
  readers: number;
  /** Conversations per reader, if the database can be seeded. */
  conversations: number;
  /** Messages in the long conversation. */
  depth: number;
  fanoutMembers: number;
  fanoutOnline: number;
  disconnects: number;
  /** The numbers of messages, conversations and users that the growth scenarios measure. */
  growMessages: number[];
  growConversations: number[];
  growUsers: number[];
  /** Messages among which is searched. */
  searchMessages: number;
  /** 1:1 messages per second and calls per second, at every size of the growth scenarios. */
  growRate: number;
  growCalls: number;
  /** The 1:1 limit that overload multiplies; 0 measures it first. */
  limit: number;
  /** Seconds above the limit, and the multiples of the limit. */
  overload: number;
  times: number;
  /** Percent of the use that ageing puts between its two measurements. */
  age: number;
  /** Repetitions of a flow. */
  flows: number;
  /** Base URL of a gateway of another system, with which `versus` compares this one. */
  versus: string | undefined;
  /** How often `versus` measures each of the two systems. */
  rounds: number;
  compare: string | undefined;
  result: string | undefined;
};

export const usage = `npm run bench -- [quick | SCENARIO …] [OPTION …]     (bench/README.md explains what is measured)

  quick                 every scenario that fits into about two minutes, with little load
  --gateways URL[,URL]  the system (default: GATEWAY_URL, or the system that runs in GOCHAT_HOME; otherwise one is started)
  --gateways-count 1 --logics 1     start a system with this many processes, even if another one runs
  --apart               start a system with im-repo and im-logic as separate processes, as with --logics 2
  --fresh               start a system, and delete the data of earlier runs first
  --heat 60             seconds of load before the first scenario, if a system is started: a cold broker needs most of a core
  --versus URL --rounds 9           a gateway of another running system, and how often each system is measured
  --compare OLD.json    show the changes since an earlier result
  --result NEW.json     with --compare: compare these two results and run nothing
  --processes 1         load processes
  --seconds 20 --warm-up 5          duration of a measurement and of the warm-up before it
  --hold 60 --probe 10              duration for which a sustained limit must hold, and of the probes that look for it
  --rates 400,1000,2000 --pairs 200 1:1 messages per second, and the number of pairs
  --most 12000                      the highest 1:1 rate that the ladder tries
  --idle-after 300 --idle 300       seconds from the start until CPU time at rest is measured, and for how long
  --connections 2000,5000,10000,15000   idle sockets
  --storm 1000          sockets that reconnect at once
  --rows 50 --readers 200 --conversations 500   rows of a list, users who read it, conversations per user
  --depth 1000000       messages in the long conversation
  --fanout-members 2000 --fanout-online 1000
  --disconnects 2000    users who disconnect at the same time
  --grow-messages 1000,10000,100000,1000000   sizes of the growth scenarios
  --grow-conversations 10,100,1000,10000
  --grow-users 1000,10000,100000,1000000
  --search-messages 1000000   messages among which is searched
  --grow-rate 200 --grow-calls 100  messages and calls per second at each size
  --limit 0             the sustained 1:1 messages per second, for overload; 0 measures it
  --overload 300 --times 3          seconds of overload, and the multiple of the limit
  --age 100             percent of the use between the two measurements of ageing
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
  'idle-after': '300',
  idle: '300',
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
  'search-messages': '1000000',
  'grow-rate': '200',
  'grow-calls': '100',
  limit: '0',
  overload: '300',
  times: '3',
  age: '100',
  rounds: '9',
};

/** The defaults of `quick`; other options override them. */
const quick: Partial<typeof standard> = {
  seconds: '5',
  'warm-up': '1',
  hold: '10',
  probe: '4',
  rates: '400',
  pairs: '50',
  most: '4000',
  'idle-after': '60',
  idle: '30',
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
  'search-messages': '30000',
  overload: '20',
  age: '5',
};

/** Options for which 0 is a valid value. */
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

/** Parses the command line. Throws an Error with one sentence about the first mistake. */
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

  if (named.some(comparesSystems) && typeof values.versus !== 'string')
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
      '--gateways names a running system, but --fresh, --apart, --gateways-count and --logics start another one.',
    );
  return {
    scenarios:
      named.length > 0 ? named : isQuick ? quickScenarios : known.filter((name) => !comparesSystems(name)),
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
    searchMessages: number('search-messages'),
    growRate: number('grow-rate'),
    growCalls: number('grow-calls'),
    limit: number('limit'),
    overload: number('overload'),
    times: number('times'),
    age: number('age'),
    processes: number('processes'),
    seconds: number('seconds'),
    warmUp: number('warm-up'),
    hold: number('hold'),
    probe: number('probe'),
    rates: numbers('rates'),
    pairs: number('pairs'),
    most: number('most'),
    idleAfter: number('idle-after'),
    idle: number('idle'),
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

/** True for scenarios that need a second system. */
const comparesSystems = (scenario: string): boolean => scenario.startsWith('versus');
