/**
 * The driver of a link: it joins the pure core of `@sallyport/link` to sockets, crypto and timers, and gives streams to
 * agents and clients. It isn't a client: it knows no accounts, stores and relays' HTTP.
 *
 * ```ts
 * import { openClientLink, systemClock } from '@sallyport/carrier'
 * import { createNodeCrypto } from '@sallyport/carrier/node'
 *
 * const intent = { kind: 'open', sessionId } as const
 * const { link } = await openClientLink({ socket, crypto: createNodeCrypto(), identity, nodeId, intent, clock: systemClock })
 * const { stream } = link.openStream({ kind: 'shell', class: 'interactive', cols: 80, rows: 24 })
 * stream.setHandlers({ onData: (bytes) => draw(bytes, () => stream.consume(bytes.length)) })
 * ```
 */
export * from './acceptor/link-acceptor.ts'
export * from './clock.ts'
export * from './crypto/crypto-driver.ts'
export * from './crypto/identity.ts'
export * from './errors.ts'
export * from './link.ts'
export * from './link-stream.ts'
export * from './node-link.ts'
export * from './opener/open-client-link.ts'
export type { ApproveState } from './pairing/approve-client.ts'
export { CHANNEL_FAULT_CODES } from './secure-channel/channel-end.ts'
export { CHANNEL_OPEN_FAULT_CODES } from './secure-channel/handshake-inbox.ts'
