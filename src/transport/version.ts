/** Whether a version such as `0.5.7` is another one or newer. What follows a `-` or `+` does not count. */
export function isVersionAtLeast(version: string, least: string): boolean {
  const a = numbers(version);
  const b = numbers(least);
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] {
  return (version.split(/[-+]/, 1)[0] ?? '').split('.').map((part) => Number(part) || 0);
}
