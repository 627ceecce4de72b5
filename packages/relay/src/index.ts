/**
 * The relay: it decides who may knock at a node, brings the two ends together and passes on bytes that it can't read.
 * It is neither client nor agent, and knows nothing of what a link carries.
 *
 * ```ts
 * import { createRelay, parseRelayConfig } from '@sallyport/relay'
 *
 * const config = parseRelayConfig({ env: process.env })
 * if (!config.ok) throw new Error(config.problems.join('\n'))
 * const relay = await createRelay({ version: '0.1.0' }, config.value)
 * console.log(relay.url)
 * await relay.close()
 * ```
 */
export type { ConfigResult, ConfigSources, RelayConfig } from './config.ts'
export { describeRelayConfig, parseRelayConfig } from './config.ts'
export type { RelayErrorCode } from './errors.ts'
export { RELAY_ERROR_CODES, RelayError } from './errors.ts'
export type { SetupSecrets } from './identity/first-run.ts'
export { createLogger } from './logger.ts'
export type { Relay, RelayDeps } from './relay.ts'
export { createRelay } from './relay.ts'
export type { StoreErrorCode } from './store/errors.ts'
export { StoreError } from './store/errors.ts'
