/** The value below which that share of the numbers lies (nearest rank). */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Median with the lowest and highest, which at a few rounds is what can be said of the spread. */
export function summary(numbers) {
  return { median: quantile(numbers, 0.5), low: Math.min(...numbers), high: Math.max(...numbers) };
}
