import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { codeNames } from '../../../../test/support/codes.ts';
import { testApp } from '../../../../test/support/gateway/gateway-app.ts';

type Media = { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> };
type Answer = { $ref?: string; description?: string; content?: Record<string, Media> };
type Operation = {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; schema: object; example?: unknown }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Answer>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, Answer> };
};

let text: string;
let document: Document;
/** Holds the shared schemas to which the others refer, so that each of them is compiled once. */
let ajv: Ajv2020;

before(async () => {
  const { app } = await testApp();
  text = (await app.inject({ url: '/openapi.json' })).body;
  document = JSON.parse(text);
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'document', components: document.components });
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );

/** Resolves an answer that is a reference to a shared one. */
const resolved = (answer: Answer): Answer =>
  document.components.responses[answer.$ref?.split('/').at(-1) ?? ''] ?? answer;

const operationAt = (method: string, path: string): Operation => {
  const operation = document.paths[path]?.[method];
  assert.ok(operation, `${method} ${path}`);
  return operation;
};

const checks = new Map<string, ValidateFunction>();

/** Compiles a schema of the document into a check; equal schemas, such as those of errors, share one. */
function checkOf(schema: object): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
  const check = checks.get(text) ?? ajv.compile(JSON.parse(text));
  checks.set(text, check);
  return check;
}

test('the OpenAPI document keeps the recommended rules of Redocly', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config });
  const findings = problems.map(
    ({ ruleId, message, location }) => `${ruleId} ${message} ${location[0]?.pointer}`,
  );
  assert.deepEqual(findings, []);
});

test('every operation has a name of its own, a summary, a known tag, and its errors as problems', () => {
  const names = operations().map(({ operation }) => operation.operationId);
  assert.equal(new Set(names).size, names.length);
  for (const { name, operation } of operations()) {
    assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+$/, name);
    assert.match(operation.summary ?? '', /^[A-Z][^.]+$/, name);
    assert.equal(operation.tags?.length, 1, name);
    const errors = Object.keys(operation.responses).filter((status) => status >= '400');
    assert.ok(errors.includes('400') && errors.includes('500'), name);
    for (const status of errors) {
      const { content = {} } = resolved(operation.responses[status] ?? {});
      if (!name.endsWith('/readyz') || status !== '503') {
        assert.deepEqual(Object.keys(content), ['application/problem+json'], `${name} ${status}`);
      }
    }
  }
});

test('every example fits the schema that it stands beside', () => {
  let count = 0;
  const check = (where: string, schema: object, example: unknown) => {
    count += 1;
    const isValid = checkOf(schema);
    assert.ok(isValid(example), `${where}: ${JSON.stringify(isValid.errors)}`);
  };
  for (const { name, operation } of operations()) {
    for (const { name: parameter, schema, example } of operation.parameters ?? []) {
      if (example !== undefined) check(`${name} ${parameter}`, schema, example);
    }
    const answers = Object.entries(operation.responses).map(
      ([status, answer]) => [status, resolved(answer).content] as const,
    );
    for (const [place, content = {}] of [['body', operation.requestBody?.content] as const, ...answers]) {
      for (const { schema, example, examples = {} } of Object.values(content)) {
        const given = [example, ...Object.values(examples).map(({ value }) => value)];
        const values = given.filter((value) => value !== undefined);
        assert.ok(values.length > 0, `${name} ${place} has no example`);
        for (const value of values) check(`${name} ${place}`, schema, value);
      }
    }
  }
  assert.ok(count > 150, String(count));
});

test('an optional body is documented as optional', () => {
  assert.equal(operationAt('post', '/auth/guest').requestBody?.required, false);
  assert.equal(operationAt('delete', '/users/profile').requestBody?.required, false);
  assert.equal(operationAt('post', '/auth/login').requestBody?.required, true);
});

test('the document describes the rules that handlers check in code', () => {
  const accepts = (method: string, path: string, body: object): boolean =>
    checkOf(operationAt(method, path).requestBody?.content['application/json']?.schema ?? {})(body);
  const conversations = (body: object) => accepts('post', '/conversations', body);
  assert.equal(conversations({ type: 1, memberIds: ['5'] }), true);
  assert.equal(conversations({ type: 1, memberIds: [] }), false);
  assert.equal(conversations({ type: 1, memberIds: ['5', '6'] }), false);
  assert.equal(conversations({ type: 2, memberIds: [], name: 'Climbing' }), true);
  assert.equal(conversations({ type: 2, memberIds: [] }), false);
  assert.equal(accepts('post', '/conversations/{id}/members', { userIds: [] }), false);
  assert.equal(accepts('patch', '/conversations/{id}/members/{userId}', {}), false);
  assert.equal(accepts('patch', '/conversations/{id}/members/{userId}', { muted: true }), true);
  const message = (content: string) =>
    accepts('post', '/conversations/{id}/messages', { clientMsgId: 'a', content });
  assert.equal(message('😀'.repeat(4000)), true);
  assert.equal(message('x'.repeat(4001)), false);
});

test('every code of the document is one of the system', () => {
  const codes = new Set(text.match(/(?<="code":")[A-Z_]+(?=")/g));
  for (const code of codes)
    assert.ok(
      codeNames.some((name) => name === code),
      code,
    );
  assert.ok(codes.size > 20);
});
