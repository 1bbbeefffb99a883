export async function whoIs(request: Request): Promise<{ id: string } | null> {
  const id = request.headers.get('authorization');
  return id === null ? null : { id };
}
