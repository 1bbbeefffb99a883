export const apiKey: string = process.env.E2B_API_KEY ?? '';
