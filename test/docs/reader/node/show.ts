export function show(value: unknown): void {
  console.log(value);
}
