export async function user(request: Request): Promise<{ id: string }> {
  return { id: request.headers.get('authorization') ?? 'nobody' };
}
