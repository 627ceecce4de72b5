/** WebSockets in browsers. */
export * from './browser-socket.ts'
export * from './dial.ts'
