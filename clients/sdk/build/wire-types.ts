// Room: what turns the sources of the SDK into its package: generated types, bundles and declarations. Nothing here is
// part of the package.

/** The keywords of JSON Schema that the documents of the API use. */
export interface Schema {
  type?: string;
  $ref?: string;
  const?: unknown;
  enum?: readonly unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  description?: string;
}

interface Body {
  content?: Record<string, { schema?: Schema }>;
}

export interface Operation {
  summary?: string;
  description?: string;
  parameters?: readonly { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: Body;
  responses: Record<string, Body>;
}

export interface OpenApi {
  components: { schemas: Record<string, Schema> };
  paths: Record<string, Record<string, Operation>>;
}

interface Frame {
  name: string;
  summary?: string;
  payload: { properties: { data?: Schema } };
}

export interface AsyncApi {
  channels: { ws: { messages: Record<string, Frame> } };
  operations: Record<'fromClient' | 'toClient', { messages: readonly { $ref: string }[] }>;
}

/** Prints the API documents of a gateway as TypeScript: the named shapes, the calls by method and path, the frames. */
export function wireTypes(openapi: OpenApi, asyncapi: AsyncApi): string {
  const shapes = Object.entries(openapi.components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`,
  );
  const calls = Object.entries(openapi.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, operation]) =>
        `${comment(operation.summary)}'${method.toUpperCase()} ${path}': ${typeOfCall(operation)};\n`,
    ),
  );
  const frames = ({ messages }: { messages: readonly { $ref: string }[] }) =>
    messages.map(({ $ref }) => {
      const { name, summary, payload } = found(asyncapi.channels.ws.messages, $ref);
      return `${comment(summary)}'${name}': ${payload.properties.data ? typeOf(payload.properties.data) : 'undefined'};\n`;
    });
  return `// Generated from the gateway's OpenAPI and AsyncAPI documents by npm run generate. Do not edit.

// Room: the shapes of what goes over the wire, generated. Nothing is written here by hand.

${shapes.join('\n')}
/** The calls of the REST API by method and path: their parameters, bodies and answers. */
export interface Calls {
${calls.join('')}}

/** The data of the frames that a client sends, by type. */
export interface ClientFrames {
${frames(asyncapi.operations.fromClient).join('')}}

/** The data of the frames that a server sends, by type. */
export interface ServerFrames {
${frames(asyncapi.operations.toClient).join('')}}
`;
}

function typeOfCall({ parameters = [], requestBody, responses }: Operation): string {
  const named = (place: string) => {
    const some = parameters.filter((one) => one.in === place);
    const fields = some.map(
      ({ name, required, schema = {} }) => `'${name}'${required ? '' : '?'}: ${typeOf(schema)};`,
    );
    // Who asks for nothing special need not say so.
    const isOptional = some.every(({ required }) => !required);
    return fields.length === 0 ? '' : `${place}${isOptional ? '?' : ''}: {${fields.join('')}};`;
  };
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, body]) => jsonOf(body) ?? 'undefined');
  const body = requestBody && jsonOf(requestBody);
  return `{${named('path')}${named('query')}${body ? `body: ${body};` : ''}answer: ${[...new Set(answers)].join(' | ')}}`;
}

function jsonOf({ content }: Body): string | undefined {
  const schema = content?.['application/json']?.schema;
  return schema && typeOf(schema);
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.map((one) => `(${typeOf(one)})`).join(' | ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return typeOfObject(schema);
    default:
      return 'unknown';
  }
}

function typeOfObject({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, schema]) =>
      `${comment(schema.description)}'${name}'${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`,
  );
  if (fields.length > 0) return `{${fields.join('\n')}}`;
  return typeof additionalProperties === 'object'
    ? `Record<string, ${typeOf(additionalProperties)}>`
    : 'Record<string, unknown>';
}

const comment = (text: string | undefined): string =>
  text === undefined ? '' : `/** ${text.replaceAll('*/', '*\\/')} */\n`;

function found<T>(all: Record<string, T>, reference: string): T {
  const one = all[reference.split('/').at(-1) ?? ''];
  if (one === undefined) throw new Error(`${reference} is missing`);
  return one;
}
