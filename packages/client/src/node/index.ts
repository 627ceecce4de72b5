/** The client over Node's files and sockets. */
export type { CommandClient } from '../create-client.ts'
export * from './file-lock.ts'
export * from './file-store.ts'
export * from './open-direct-client.ts'
export * from './open-node-client.ts'
