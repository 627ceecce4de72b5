/**
 * What both ends of every socket and link agree on: frames, messages, ids, tokens, limits and codes. Pure: no I/O, no
 * time, no randomness, no crypto. It isn't a client or a server; see `@sallyport/client`, `@sallyport/agent`.
 *
 * ```ts
 * import { encodeMessage, parseClientMessage } from '@sallyport/protocol'
 *
 * const text = encodeMessage({ op: 'open', node_id: nodeId })
 * const parsed = parseClientMessage(text)
 * if (parsed.ok && parsed.value.op === 'open') dial(parsed.value.node_id)
 * ```
 */
export * from './bundles.ts'
export * from './bytes.ts'
export * from './certificate.ts'
export * from './codes.ts'
export * from './encode.ts'
export * from './fields.ts'
export * from './frame.ts'
export * from './handshake-payloads.ts'
export * from './hop-messages.ts'
export * from './http-api.ts'
export * from './ids.ts'
export * from './json.ts'
export * from './limits.ts'
export * from './link-messages.ts'
export * from './logger.ts'
export * from './result.ts'
export * from './signing.ts'
export * from './tokens.ts'
