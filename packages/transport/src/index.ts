/**
 * Sockets that carry messages, alike in Node (`@sallyport/transport/node`) and in browsers
 * (`@sallyport/transport/browser`). It knows nothing of links or credentials.
 *
 * ```ts
 * import { dialWebSocket } from '@sallyport/transport/node'
 *
 * const socket = await dialWebSocket('wss://relay.example/api/web/ws', { signal })
 * socket.setHandlers({ onText: handleHello, onBinary: handleRecord, onClose: ({ code }) => end(code) })
 * socket.sendText('{"op":"hello"}')
 * ```
 */
export * from './errors.ts'
export { INBOX_MESSAGES, Inbox } from './inbox.ts'
export * from './message-socket.ts'
