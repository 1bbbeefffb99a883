export async function userOf(request: Request): Promise<{ id: string } | null> {
  const id = request.headers.get('authorization');
  return id === null ? null : { id };
}
