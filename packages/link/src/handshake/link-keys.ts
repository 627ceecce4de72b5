import type { Crypto } from '../crypto/crypto-effects.ts'
import type { NoiseState } from '../noise/noise.ts'
import { finishNoise } from '../noise/noise.ts'

/** What a finished handshake leaves: one AES-256 key for each direction, and the transcript's hash. */
export interface LinkKeys {
	readonly sendKey: Uint8Array
	readonly receiveKey: Uint8Array
	/** h: the same at both ends only if nothing was altered; approve codes are made of it. */
	readonly handshakeHash: Uint8Array
}

export function* linkKeys(state: NoiseState): Crypto<LinkKeys> {
	const { initiatorKey, responderKey, handshakeHash } = yield* finishNoise(state)
	return state.role === 'initiator'
		? { sendKey: initiatorKey, receiveKey: responderKey, handshakeHash }
		: { sendKey: responderKey, receiveKey: initiatorKey, handshakeHash }
}
