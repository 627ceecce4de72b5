/** What end-to-end tests stand on: real programs, each in a world of its own, ended with the test. */
export * from './child.ts'
export * from './chromium.ts'
export * from './sally.ts'
export * from './scope.ts'
export * from './sshd.ts'
export * from './wait.ts'
