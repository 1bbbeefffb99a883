export const scripts: string[] = ['echo one', 'echo two', 'echo three'];
