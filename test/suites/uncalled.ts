/** The public methods that no case calls, and why. Whatever else is public has at least one case. */
export const uncalled: Record<string, string> = {};
