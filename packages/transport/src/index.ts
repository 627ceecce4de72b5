/**
 * Sockets that carry messages, alike in Node (`@sallyport/transport/node`) and in browsers
 * (`@sallyport/transport/browser`). It knows nothing of links or credentials.
 */
export * from './message-socket.ts'
