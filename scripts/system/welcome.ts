import { gatewayPorts, type Profile, type ServicePlan, serverPorts } from '../topology/topology.ts';
import type { RunningServers } from './servers.ts';

/** The text that `npm start` prints when everything is ready: the addresses, and a first command to try. */
export function welcome(
  profile: Profile,
  servers: RunningServers,
  plans: ServicePlan[],
  took: string,
  signIns?: string,
): string {
  const gateways = gatewayPorts(profile).map(({ http }) => `http://127.0.0.1:${http.port}`);
  const [first = ''] = gateways;
  const ui = profile.env.TEMPORAL_ADDRESS
    ? `that of ${servers.addresses.TEMPORAL_ADDRESS}`
    : `http://127.0.0.1:${serverPorts(profile).temporalUi.port}`;
  const admins = plans.flatMap((plan) => plan.admins);
  return `
GoChat is ready (${took}).

  Chat             ${first}
  Gateway          ${gateways.join('  ')}
  WebSocket        ${gateways.map((url) => `${url.replace('http', 'ws')}/ws`).join('  ')}
  API reference    ${first}/docs
  Temporal Web UI  ${ui}
  Metrics          ${admins.map(({ service, url }) => `${url}/metrics  ${service}`).join('\n                   ')}
  Logs             ${profile.home}/logs

Open ${first} in a browser, or try it by hand:

  curl -s ${first}/auth/register -H 'content-type: application/json' \\
    -d '{"username": "alice", "password": "correct horse"}'
${signIns === undefined ? '' : `\nPeople of the demo world, each with a password:\n\n${signIns}\n`}
Ctrl-C stops everything; the data stays in ${profile.home} (npm run reset wipes it).
`;
}
