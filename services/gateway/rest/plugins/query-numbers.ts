import type { FastifyInstance } from 'fastify';

/**
 * Query strings are text. Where a route's schema expects an integer, decimal digits are converted before validation.
 * Any other value stays text and is refused, so that nothing is coerced by accident (" 5", "0x5", "1e3", "").
 */
export function parseQueryNumbers(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const properties = propertiesOf(request.routeOptions.schema?.querystring);
    const query = request.query as Record<string, unknown>;
    for (const [name, schema] of Object.entries(properties)) {
      const value = query[name];
      if (schema.type === 'integer' && typeof value === 'string' && /^-?\d{1,16}$/.test(value)) {
        query[name] = Number(value);
      }
    }
  });
}

type Properties = Record<string, { type?: string }>;

function propertiesOf(schema: unknown): Properties {
  return schema !== null && typeof schema === 'object' && 'properties' in schema
    ? (schema.properties as Properties)
    : {};
}
