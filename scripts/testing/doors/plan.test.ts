import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertPortsDiffer } from '../../topology/ports.ts';
import {
  serverAddresses,
  serverPorts,
  servicePlans,
  servicePorts,
  testProfile,
  userProfile,
} from '../../topology/topology.ts';
import { brokerEntrances, doorPlans, doorPorts, targetOf, throughDoors } from './plan.ts';

const keys = {
  AUTH_PRIVATE_KEY_FILE: '/s/private.pem',
  AUTH_PUBLIC_KEY_FILE: '/s/public.pem',
  GRPC_TOKEN_FILE: '/s/grpc-token',
  FILES_SECRET_FILE: '/s/files-secret',
};
const profile = testProfile({});
const plansOf = (core: boolean) =>
  servicePlans({ ...profile, core }, serverAddresses(profile, { database: 'secret' }), keys);
const direct = plansOf(false);
const cored = plansOf(true);

test('a service goes through doors of its own to all it needs, and each door leads where it went before', () => {
  const all = doorPlans(profile, { toKafka: false });
  for (const plans of [direct, cored]) {
    const doors = all.filter(({ service }) => plans.some(({ name }) => name === service));
    const rerouted = throughDoors(plans, doors);
    for (const door of doors) {
      const before = plans.find(({ name }) => name === door.service)?.env[door.variable];
      const after = rerouted.find(({ name }) => name === door.service)?.env[door.variable];
      assert.equal(after, before?.replace(String(targetOf(door, plans)), String(door.port)));
      assert.notEqual(after, before);
    }
    assert.equal(rerouted[0]?.env.DATABASE_URL?.split('/').at(-1), 'gochat');
  }
});

test('a door to the broker leads to a listener that advertises the door’s address', () => {
  const doors = doorPlans(profile, { toKafka: true });
  const entrances = brokerEntrances(doors);
  assert.deepEqual(
    entrances.map(({ name }) => name),
    ['CORE', 'REPO', 'LOGIC', 'TASK', 'PUSHER', 'GATEWAY_1', 'GATEWAY_2'],
  );
  for (const { name, port, advertisedPort } of entrances) {
    const door = doors.find(({ port }) => port === advertisedPort);
    assert.equal(door?.name, `${name.toLowerCase().replace('_', '-')}-kafka`);
    assert.equal(door && targetOf(door, [...direct, ...cored]), port);
  }
});

test('a system with doors works as one without', () => {
  const doors = doorPorts(profile, doorPlans(profile, { toKafka: true }));
  const gateways2 = userProfile({}, 2);
  for (const other of [profile, gateways2]) {
    assertPortsDiffer([...doors, ...servicePorts(other), ...Object.values(serverPorts(other))]);
  }
});
