import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertPortsDiffer } from './ports.ts';
import {
  benchProfile,
  gatewayPorts,
  serverAddresses,
  serverPorts,
  servicePlans,
  servicePorts,
  testProfile,
  userProfile,
} from './topology.ts';

const keys = {
  AUTH_PRIVATE_KEY_FILE: '/s/private.pem',
  AUTH_PUBLIC_KEY_FILE: '/s/public.pem',
  GRPC_TOKEN_FILE: '/s/grpc-token',
  FILES_SECRET_FILE: '/s/files-secret',
};

function plansOf(env: NodeJS.ProcessEnv, gateways = 1, core = false) {
  const profile = userProfile(env, gateways, core);
  return servicePlans(profile, serverAddresses(profile, { database: 'secret' }), keys);
}

test('the defaults are the addresses that the contract names', () => {
  const profile = userProfile({});
  assert.deepEqual(serverAddresses(profile, { database: 'secret' }), {
    DATABASE_URL: 'mysql://gochat:secret@127.0.0.1:3306/gochat',
    REDIS_URL: 'redis://127.0.0.1:6379/0',
    KAFKA_BROKERS: '127.0.0.1:9092',
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
  });
  const metrics = Object.fromEntries(plansOf({}).map(({ name, env }) => [name, env.METRICS_PORT]));
  assert.deepEqual(metrics, {
    'gateway-1': '9464',
    logic: '9465',
    repo: '9466',
    task: '9467',
    pusher: '9468',
  });
});

test('im-repo, im-logic and im-pusher are one process unless they are to be apart, with the same addresses', () => {
  const [core, ...others] = plansOf({ LOGIC_METRICS_PORT: '19465' }, 1, true);
  assert.equal(core?.entry, 'services/core/main.ts');
  assert.deepEqual(
    others.map(({ name }) => name),
    ['task', 'gateway-1'],
  );
  assert.deepEqual(core?.admins, [
    { service: 'repo', url: 'http://127.0.0.1:9466' },
    { service: 'logic', url: 'http://127.0.0.1:19465' },
    { service: 'pusher', url: 'http://127.0.0.1:9468' },
  ]);
  assert.deepEqual(core?.ports.map(({ variable }) => variable).sort(), [
    'LOGIC_GRPC_PORT',
    'LOGIC_METRICS_PORT',
    'PUSHER_METRICS_PORT',
    'REPO_GRPC_PORT',
    'REPO_METRICS_PORT',
  ]);
  assert.deepEqual(
    [
      core?.env.REPO_METRICS_PORT,
      core?.env.LOGIC_METRICS_PORT,
      core?.env.PUSHER_METRICS_PORT,
      core?.env.METRICS_PORT,
    ],
    ['9466', '19465', '9468', undefined],
  );
  assert.ok(core?.env.DATABASE_URL && core.env.AUTH_PRIVATE_KEY_FILE);
});

test('a second gateway has its own address, which the other services know', () => {
  const [, second] = plansOf({}, 2).filter(({ name }) => name.startsWith('gateway-'));
  assert.equal(second?.entry, 'services/gateway/main.ts');
  assert.equal(second?.env.GATEWAY_ID, 'gateway-2');
  assert.equal(second?.env.GATEWAY_PORT, '8081');
  assert.equal(second?.env.GATEWAY_GRPC_ADVERTISE, '127.0.0.1:9013');
  assert.equal(second?.env.METRICS_PORT, '9474');
});

test('a configured port applies to the server and all its clients', () => {
  const env = { KAFKA_PORT: '19092', REPO_GRPC_PORT: '19001' };
  for (const plan of plansOf(env)) {
    assert.equal(plan.env.KAFKA_BROKERS, '127.0.0.1:19092');
    assert.equal(plan.env.REPO_ADDRESS, '127.0.0.1:19001');
  }
});

test('a server that the user names is used as it is', () => {
  const { DATABASE_URL } = serverAddresses(userProfile({ DATABASE_URL: 'mysql://db.example/x' }), {
    database: 'secret',
  });
  assert.equal(DATABASE_URL, 'mysql://db.example/x');
});

test('only repo gets the addresses of the database and Redis', () => {
  const told = plansOf({}).filter(({ env }) => env.DATABASE_URL !== undefined || env.REDIS_URL !== undefined);
  assert.deepEqual(
    told.map(({ name }) => name),
    ['repo'],
  );
});

test('settings of the environment reach every service, and npm start limits registrations only if configured', () => {
  assert.ok(plansOf({ LOG_LEVEL: 'debug' }).every(({ env }) => env.LOG_LEVEL === 'debug'));
  for (const name of [
    'RATE_LIMIT_REGISTER_PER_HOUR',
    'RATE_LIMIT_ANONYMOUS_PER_MINUTE',
    'MAX_SOCKETS_PER_USER',
    'MAX_SOCKETS_PER_ADDRESS',
  ]) {
    assert.ok(
      plansOf({}).every(({ env }) => env[name] === '0'),
      name,
    );
  }
  assert.ok(
    plansOf({ RATE_LIMIT_REGISTER_PER_HOUR: '5' }).every(
      ({ env }) => env.RATE_LIMIT_REGISTER_PER_HOUR === '5',
    ),
  );
});

test('tests share no port, folder or server with the system in use', () => {
  const user = userProfile({}, 8);
  const tests = testProfile({
    DATABASE_URL: 'mysql://db.example/x',
    KAFKA_PORT: '9092',
    GOCHAT_HOME: '/data',
  });
  const portsOf = (profile: typeof user) =>
    [...Object.values(serverPorts(profile)), ...servicePorts(profile)].map(({ port }) => port);
  const used = new Set(portsOf(user));
  assert.ok(portsOf(tests).every((port) => !used.has(port)));
  assert.notEqual(tests.home, user.home);
  assert.match(serverAddresses(tests, { database: 'secret' }).DATABASE_URL, /@127\.0\.0\.1:23306\/gochat$/);
});

test('a system to measure shares no port, folder or server with the one in use, and has no limits', () => {
  const user = userProfile({}, 8);
  const bench = benchProfile(
    { DATABASE_URL: 'mysql://db.example/x', RATE_LIMIT_FRAMES_PER_SECOND: '5' },
    { gateways: 2, logics: 2, core: false },
  );
  const portsOf = (profile: typeof user) =>
    [...Object.values(serverPorts(profile)), ...servicePorts(profile)].map(({ port }) => port);
  const used = new Set([...portsOf(user), ...portsOf(testProfile({}))]);
  assert.ok(portsOf(bench).every((port) => !used.has(port)));
  assert.notEqual(bench.home, user.home);
  assert.ok(
    servicePlans(bench, serverAddresses(bench, { database: 'secret' }), keys).every(
      ({ env }) => env.RATE_LIMIT_FRAMES_PER_SECOND === '0' && !env.DATABASE_URL?.includes('db.example'),
    ),
  );
});

test('a second logic process has a name and ports of its own, and calls go to both', () => {
  const profile = benchProfile({}, { gateways: 2, logics: 2, core: false });
  assertPortsDiffer([...Object.values(serverPorts(profile)), ...servicePorts(profile)]);
  const plans = servicePlans(profile, serverAddresses(profile, { database: 'secret' }), keys);
  const logics = plans.filter(({ entry }) => entry === 'services/logic/main.ts');
  assert.deepEqual(
    logics.map(({ name, env }) => [name, env.LOGIC_ID, env.LOGIC_GRPC_PORT]),
    [
      ['logic', 'logic-1', '19002'],
      ['logic-2', 'logic-2', '19012'],
    ],
  );
  assert.ok(plans.every(({ env }) => env.LOGIC_ADDRESS === 'ipv4:127.0.0.1:19002,127.0.0.1:19012'));
});

test('no two parts of the largest system want the same port', () => {
  const profile = userProfile({}, 8);
  assertPortsDiffer([...Object.values(serverPorts(profile)), ...servicePorts(profile)]);
  assert.equal(gatewayPorts(profile).length, 8);
});

test('a port that is no port is refused in one sentence', () => {
  assert.throws(
    () => serverPorts(userProfile({ KAFKA_PORT: 'many' })),
    /KAFKA_PORT must be a whole number, not "many"/,
  );
  assert.throws(() => serverPorts(userProfile({ KAFKA_PORT: '70000' })), /KAFKA_PORT must be a port/);
  assert.throws(() => userProfile({}, 0), /--gateways takes a number from 1 to 8/);
});

test('on a small machine every process is given less memory', () => {
  const optionsOf = (small: boolean) => {
    const profile = userProfile({}, 1, true, small);
    const plans = servicePlans(profile, serverAddresses(profile, { database: 'secret' }), keys);
    return plans.map(({ name, nodeOptions }) => [name, ...nodeOptions]);
  };
  assert.deepEqual(optionsOf(false), [
    ['core', '--max-semi-space-size=8'],
    ['task', '--max-semi-space-size=2'],
    ['gateway-1', '--max-semi-space-size=4'],
  ]);
  assert.deepEqual(optionsOf(true), [
    ['core', '--max-semi-space-size=2'],
    ['task', '--max-semi-space-size=1'],
    ['gateway-1', '--max-semi-space-size=1'],
  ]);
});
