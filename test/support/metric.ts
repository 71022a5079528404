/** What a service of the system under test counts under a name and a label; 0 where it has not counted yet. */
export async function metricOf(service: string, name: string, label: string): Promise<number> {
  const url = process.env[`${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`];
  if (!url)
    throw new Error(`where ${service} shows its metrics is not set: run the tests by \`npm run test:fault\``);
  const lines = (await (await fetch(url)).text()).split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}
