export interface Env {
  E2B_API_KEY: string;
  SESSION_KEY: string;
}
