import { testApp } from '../../../test/support/gateway/gateway-app.ts';
import type { AsyncApi, OpenApi } from './wire-types.ts';

/** The API documents that a gateway of this version serves. */
export async function documentsOfTestApp(): Promise<{ openapi: OpenApi; asyncapi: AsyncApi }> {
  const { app } = await testApp();
  const read = async (url: string) => JSON.parse((await app.inject({ url })).body);
  const documents = { openapi: await read('/openapi.json'), asyncapi: await read('/asyncapi.json') };
  await app.close();
  return documents;
}
