export * from './fakes/clock.ts'
export * from './fakes/fakes.ts'
export * from './harness.ts'
