/** WebSockets in Node, over `ws`. */
export * from './accept.ts'
export * from './dial.ts'
export * from './heartbeat.ts'
export * from './node-socket.ts'
export * from './options.ts'
