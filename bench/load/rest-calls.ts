import { createHttpConnection, type HttpConnection } from './http.ts';

export type RestCaller = {
  call<T>(method: string, path: string, accessToken?: string, body?: unknown): Promise<T>;
  close(): void;
};

/** The error of a call with a status of 300 or above. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  readonly code: string;

  constructor(what: string, status: number, body: string) {
    super(`${what} answered ${status}: ${body.slice(0, 300)}`);
    this.status = status;
    this.code = /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? '';
  }
}

/** Calls one gateway over keep-alive connections, as many as there are concurrent calls. */
export function createRestCaller(baseUrl: string): RestCaller {
  const free: HttpConnection[] = [];
  return {
    async call<T>(method: string, path: string, accessToken?: string, body?: unknown): Promise<T> {
      const connection = free.pop() ?? createHttpConnection(baseUrl);
      const content = body === undefined ? undefined : JSON.stringify(body);
      const answer = await connection.request({ method, path, accessToken, body: content });
      free.push(connection);
      if (answer.status >= 300) throw new RestError(`${method} ${path}`, answer.status, answer.body);
      return (answer.body === '' ? undefined : JSON.parse(answer.body)) as T;
    },
    close() {
      for (const connection of free.splice(0)) connection.close();
    },
  };
}
