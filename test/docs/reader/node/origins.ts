export const origins: string[] = ['https://app.example'];
