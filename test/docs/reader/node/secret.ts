export const secret: string = crypto.randomUUID();
