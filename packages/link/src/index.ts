/**
 * The link between a device and a node: handshake, keys, pairing codes, streams and resume. Pure: bytes, results of crypto
 * and the time go in, values and effects come out. It opens no socket and sets no timer; `@sallyport/carrier` drives it.
 *
 * ```ts
 * import { openHandshake } from '@sallyport/link'
 *
 * const opened = await driver.run(openHandshake({ nodeId, linkKey, intent: 'open' }))
 * if (opened.ok) socket.sendBinary(opened.value.message)
 * ```
 */
export * from './crypto/crypto-effects.ts'
export * from './crypto/hkdf.ts'
export * from './crypto/nonce.ts'
export * from './handshake/certificates.ts'
export {
	HANDSHAKE_FAULT_CODES,
	type HandshakeFault,
	type HandshakeFaultCode,
	type HandshakeResult,
} from './handshake/handshake-fault.ts'
export * from './handshake/handshake-message.ts'
export {
	finishHandshake,
	type InitiatorFinished,
	type InitiatorOpened,
	type InitiatorOptions,
	type InitiatorReplied,
	openHandshake,
	readReply,
} from './handshake/initiator.ts'
export type { LinkKeys } from './handshake/link-keys.ts'
export * from './handshake/link-psk.ts'
export * from './handshake/responder.ts'
export * from './handshake/version.ts'
export type {
	DriverMessage,
	LinkAnswer,
	LinkMachineEvent,
	LinkNotice,
	LinkRequest,
	LinkRequestBody,
	OpenStreamRequest,
	StreamNotice,
	StreamNoticeBody,
	StreamOpened,
} from './mux/events.ts'
export type { LinkFault, LinkResult, MuxFaultCode } from './mux/fault.ts'
export { MUX_FAULT_CODES } from './mux/fault.ts'
export type { LinkMachineOptions, LinkStats } from './mux/link-machine.ts'
export { createLinkMachine, LinkMachine } from './mux/link-machine.ts'
export type { LinkRole, WindowLimits } from './mux/link-state.ts'
export * from './noise/noise.ts'
export * from './pairing/approve-code.ts'
