/** What is wrong with a request, for its sender. The message is a stable code. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

export function refuse(status: number, code: string): never {
  throw new Refusal(status, code);
}

export function problem(status: number, code: string): Response {
  return Response.json({ error: code }, { status });
}
