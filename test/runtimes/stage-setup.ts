import type { TestProject } from 'vitest/node';
import type { StageEnv } from '../suites/case.js';
import { startStage } from './stage.js';

declare module 'vitest' {
  interface ProvidedContext {
    stage: StageEnv;
  }
}

/** Starts the servers once for all files of a project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stage = await startStage();
  project.provide('stage', stage.env);
  return () => stage.close();
}
