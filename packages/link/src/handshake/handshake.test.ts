import {
	encodeHandshakePayload,
	type HandshakePayload3,
	LIMITS,
	nodeIdFromHash,
	nodeIdInput,
	utf8ToBytes,
} from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto, withFixed } from '../../../../test/support/crypto.ts'
import { runCryptoSync } from '../../../carrier/src/crypto/crypto-driver.ts'
import { importNodeAgreementKey, importNodeSigningKey } from '../../../carrier/src/node/crypto-node.ts'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { hash } from '../crypto/crypto-effects.ts'
import type { NoiseState } from '../noise/noise.ts'
import { readNoise, startNoise, withPsk, writeNoise } from '../noise/noise.ts'
import { issueCertificate } from './certificates.ts'
import type { HandshakeResult } from './handshake-fault.ts'
import { handshakePrologue } from './handshake-message.ts'
import type { InitiatorOptions } from './initiator.ts'
import { finishHandshake, openHandshake, provedKey, readReply } from './initiator.ts'
import { linkPsk, NO_PSK } from './link-psk.ts'
import { readFinish, readOpening, replyHandshake } from './responder.ts'
import { checkVersion, chooseVersion } from './version.ts'

const NOW = Date.UTC(2026, 10, 22)
const EMPTY = new Uint8Array(0)
const run = <T>(work: Crypto<T>): T => runCryptoSync(nodeCrypto, work)
const filled = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const nodeLinkKey = importNodeAgreementKey(filled(1))
const deviceLinkKey = importNodeAgreementKey(filled(2))
const nodeIdentity = importNodeSigningKey(filled(3))
const deviceIdentity = importNodeSigningKey(filled(4))
const nodeId = nodeIdFromHash(run(hash(nodeIdInput(nodeIdentity.publicKey))))
const nodeCertificate = run(
	issueCertificate({ role: 'node', identityKey: nodeIdentity, linkKey: nodeLinkKey.publicKey, nowMs: NOW }),
)
const deviceCertificate = run(
	issueCertificate({ role: 'device', identityKey: deviceIdentity, linkKey: deviceLinkKey.publicKey, nowMs: NOW }),
)
const payload3: HandshakePayload3 = { intent: 'open', features: [], certificate: deviceCertificate }

function valueOf<T>(result: HandshakeResult<T>): T {
	if (!result.ok) throw new Error(`unexpected ${result.error.code}: ${result.error.detail}`)
	return result.value
}
const codeOf = (result: HandshakeResult<unknown>): string => (result.ok ? 'no fault' : result.error.code)

const begin = (options: Partial<InitiatorOptions> = {}) =>
	valueOf(run(openHandshake({ nodeId, linkKey: deviceLinkKey, intent: 'open', ...options })))
const reply = (
	message: Uint8Array,
	options: { versions?: readonly number[]; psk?: Uint8Array; certificate?: Uint8Array } = {},
) => {
	const opened = valueOf(
		run(readOpening({ nodeId, linkKey: nodeLinkKey, ...(options.versions && { versions: options.versions }) }, message)),
	)
	return valueOf(
		run(
			replyHandshake(opened, {
				psk: options.psk ?? NO_PSK,
				certificate: options.certificate ?? nodeCertificate,
				features: ['x'],
			}),
		),
	)
}

/** A peer that speaks right Noise and sends whatever payloads it likes. */
function strangeResponder(message1: Uint8Array, payload: Uint8Array): Uint8Array {
	const state = run(
		startNoise({ pattern: 'XXpsk3', role: 'responder', prologue: handshakePrologue(nodeId), staticKey: nodeLinkKey }),
	)
	const read = run(readNoise(state, message1.subarray(1)))
	if (!read.ok) throw new Error(read.error)
	const written = run(writeNoise(withPsk(read.value.state, NO_PSK), payload))
	if (!written.ok) throw new Error(written.error)
	return Uint8Array.of(1, ...written.value.message)
}

function strangeInitiator(): {
	readonly state: NoiseState
	readonly message: (payload: Uint8Array) => { state: NoiseState; bytes: Uint8Array }
} {
	const state = run(
		startNoise({ pattern: 'XXpsk3', role: 'initiator', prologue: handshakePrologue(nodeId), staticKey: deviceLinkKey }),
	)
	return {
		state,
		message: (payload) => {
			const written = run(writeNoise(state, payload))
			if (!written.ok) throw new Error(written.error)
			return { state: written.value.state, bytes: Uint8Array.of(1, ...written.value.message) }
		},
	}
}

describe('the handshake', () => {
	it('gives both sides the same keys and transcript, and each the other proven', () => {
		const first = begin()
		const second = reply(first.message)
		const replied = valueOf(run(readReply(first.state, second.message, { nowMs: NOW, lastSerial: NOW })))
		expect(replied.node).toMatchObject({
			nodeId,
			identityKey: nodeIdentity.publicKey,
			serial: NOW,
			notAfterMs: NOW + LIMITS.certificateMs,
		})
		expect(replied.payload).toMatchObject({ version: 1, versions: [1], features: ['x'] })
		const third = valueOf(run(finishHandshake(replied, payload3)))
		const finished = valueOf(run(readFinish(second.state, third.message, { nowMs: NOW })))
		expect(finished.device.identityKey).toEqual(deviceIdentity.publicKey)
		expect(finished.keys.sendKey).toEqual(third.keys.receiveKey)
		expect(finished.keys.receiveKey).toEqual(third.keys.sendKey)
		expect(finished.keys.handshakeHash).toEqual(third.keys.handshakeHash)
		expect(finished.keys.sendKey).not.toEqual(finished.keys.receiveKey)
	})

	it('answers a replayed first message afresh, from the same state', () => {
		const first = begin()
		const before = run(readOpening({ nodeId, linkKey: nodeLinkKey }, first.message))
		const again = run(readOpening({ nodeId, linkKey: nodeLinkKey }, first.message))
		expect(again).toEqual(before)
		expect(reply(first.message).message).not.toEqual(reply(first.message).message)
	})

	it('refuses a third message that was made for another run', () => {
		const first = begin()
		const replied = valueOf(run(readReply(first.state, reply(first.message).message, { nowMs: NOW })))
		const third = valueOf(run(finishHandshake(replied, payload3)))
		expect(codeOf(run(readFinish(reply(first.message).state, third.message, { nowMs: NOW })))).toBe('HANDSHAKE_FORGED')
	})

	it('binds the psk to secret, origin and id', () => {
		const secret = { id: 'i', origin: 'https://a', secret: filled(5) }
		const psk = run(linkPsk(secret))
		const first = begin({ intent: 'pair', secret })
		const payload: HandshakePayload3 = {
			intent: 'pair',
			features: [],
			certificate: deviceCertificate,
			device_name: 'd',
			device_kind: 'cli',
		}
		const finish = (held: Uint8Array): string => {
			const second = reply(first.message, { psk: held })
			const replied = valueOf(run(readReply(first.state, second.message, { nowMs: NOW })))
			return codeOf(run(readFinish(second.state, valueOf(run(finishHandshake(replied, payload))).message, { nowMs: NOW })))
		}
		expect(finish(psk)).toBe('no fault')
		expect(finish(NO_PSK)).toBe('HANDSHAKE_FORGED')
		for (const other of [
			{ ...secret, id: 'j' },
			{ ...secret, origin: 'https://b' },
			{ ...secret, secret: filled(6) },
		]) {
			expect(finish(run(linkPsk(other)))).toBe('HANDSHAKE_FORGED')
		}
	})
})

describe('what the initiator refuses', () => {
	const first = begin()
	const payload2 = { version: 1, versions: [1], features: [], certificate: nodeCertificate }
	const judge = (message: Uint8Array, check: { lastSerial?: number } = {}): string =>
		codeOf(run(readReply(first.state, message, { nowMs: NOW, ...check })))
	const answer = (change: object): Uint8Array =>
		strangeResponder(first.message, encodeHandshakePayload({ ...payload2, ...change }))
	const certified = (change: Partial<Parameters<typeof issueCertificate>[0]>): Uint8Array =>
		run(issueCertificate({ role: 'node', identityKey: nodeIdentity, linkKey: nodeLinkKey.publicKey, nowMs: NOW, ...change }))

	it.each([
		['another suite', Uint8Array.of(2, ...answer({}).subarray(1)), 'SUITE_UNSUPPORTED'],
		['an empty message', EMPTY, 'HANDSHAKE_TRUNCATED'],
		['a short message', Uint8Array.of(1, 2, 3), 'HANDSHAKE_TRUNCATED'],
		['a long message', new Uint8Array(LIMITS.handshakeMessageBytes + 1).fill(1), 'HANDSHAKE_TOO_LARGE'],
		['a key of low order', Uint8Array.of(1, ...new Uint8Array(200)), 'KEY_REFUSED'],
		['noise of another handshake', reply(begin().message).message, 'HANDSHAKE_FORGED'],
		['a payload that is not json', strangeResponder(first.message, utf8ToBytes('{')), 'PAYLOAD_INVALID'],
		['a payload without its fields', strangeResponder(first.message, utf8ToBytes('{}')), 'PAYLOAD_INVALID'],
		['a version that it did not offer', answer({ version: 2, versions: [2] }), 'VERSION_UNSUPPORTED'],
		['a choice that is not the best', answer({ version: 0, versions: [0, 1] }), 'VERSION_DOWNGRADED'],
		['bytes for a certificate', answer({ certificate: filled(1) }), 'CERTIFICATE_REFUSED'],
		['a certificate with another signature', answer({ certificate: damaged(nodeCertificate) }), 'CERTIFICATE_REFUSED'],
		["a device's certificate", answer({ certificate: certified({ role: 'device' }) }), 'CERTIFICATE_ROLE_WRONG'],
		['a certificate for another link key', answer({ certificate: certified({ linkKey: filled(9) }) }), 'CERTIFICATE_KEY_WRONG'],
		["another node's certificate", answer({ certificate: certified({ identityKey: deviceIdentity }) }), 'NODE_KEY_CHANGED'],
	] as const)('%s', (_, message, code) => {
		expect(judge(message)).toBe(code)
	})

	it('a certificate that is older than the last one seen', () => {
		expect(judge(answer({}), { lastSerial: NOW })).toBe('no fault')
		expect(judge(answer({}), { lastSerial: NOW + 1 })).toBe('CERTIFICATE_SERIAL_OLD')
	})

	it.each([
		['yet to come', LIMITS.clockLeewayMs + 1, 'CERTIFICATE_NOT_YET_VALID'],
		['yet to come, within what clocks may differ', LIMITS.clockLeewayMs, 'no fault'],
		['over', -LIMITS.certificateMs - LIMITS.clockLeewayMs - 1, 'CERTIFICATE_EXPIRED'],
		['over, within what clocks may differ', -LIMITS.certificateMs - LIMITS.clockLeewayMs, 'no fault'],
	] as const)('a certificate whose time is %s', (_, offsetMs, code) => {
		expect(judge(answer({ certificate: certified({ nowMs: NOW + offsetMs }) }))).toBe(code)
	})

	it('arbitrary bytes, without throwing', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isWrapped) => {
				expect(judge(isWrapped ? Uint8Array.of(1, ...bytes) : bytes)).not.toBe('no fault')
			}),
		)
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => {
				expect(judge(strangeResponder(first.message, payload))).toBe('PAYLOAD_INVALID')
			}),
			{ numRuns: 50 },
		)
	})
})

function damaged(certificate: Uint8Array): Uint8Array {
	const changed = certificate.slice()
	changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
	return changed
}

describe('what the responder refuses', () => {
	const judge1 = (message: Uint8Array): string => codeOf(run(readOpening({ nodeId, linkKey: nodeLinkKey }, message)))
	const opening = (payload: object): Uint8Array => strangeInitiator().message(utf8ToBytes(JSON.stringify(payload))).bytes

	it.each([
		['another suite', Uint8Array.of(0, ...begin().message.subarray(1)), 'SUITE_UNSUPPORTED'],
		['an empty message', EMPTY, 'HANDSHAKE_TRUNCATED'],
		['a message for another node', begin({ nodeId: 'a'.repeat(52) }).message, 'HANDSHAKE_FORGED'],
		['a payload without its fields', opening({ intent: 'open' }), 'PAYLOAD_INVALID'],
		['an unknown intent', opening({ versions: [1], intent: 'own' }), 'PAYLOAD_INVALID'],
		['a secret where none belongs', opening({ versions: [1], intent: 'open', secret_id: 'x' }), 'PAYLOAD_INVALID'],
		['versions that it does not speak', opening({ versions: [2, 3], intent: 'open' }), 'VERSION_UNSUPPORTED'],
	] as const)('as the first message: %s', (_, message, code) => {
		expect(judge1(message)).toBe(code)
	})

	const finish = (payload: object): string => {
		const stranger = strangeInitiator()
		const first = stranger.message(encodeHandshakePayload({ versions: [1], intent: 'open' }))
		const second = reply(first.bytes)
		const read = run(readNoise(first.state, second.message.subarray(1)))
		if (!read.ok) throw new Error(read.error)
		const written = run(writeNoise(withPsk(read.value.state, NO_PSK), utf8ToBytes(JSON.stringify(payload))))
		if (!written.ok) throw new Error(written.error)
		return codeOf(run(readFinish(second.state, Uint8Array.of(1, ...written.value.message), { nowMs: NOW })))
	}
	const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

	it.each([
		['no fields', {}, 'PAYLOAD_INVALID'],
		[
			'another intent than the first message had',
			{ intent: 'resume', features: [], certificate: text(deviceCertificate), link_id: 'abcdefgh', attempt: 1, received: 0 },
			'INTENT_CHANGED',
		],
		['a broken certificate', { intent: 'open', features: [], certificate: text(filled(1)) }, 'CERTIFICATE_REFUSED'],
		["a node's certificate", { intent: 'open', features: [], certificate: text(nodeCertificate) }, 'CERTIFICATE_ROLE_WRONG'],
		['a right one', { intent: 'open', features: [], certificate: text(deviceCertificate) }, 'no fault'],
	] as const)('as the third message: %s', (_, payload, code) => {
		expect(finish(payload)).toBe(code)
	})

	it('a third message of another suite, or none', () => {
		const { state } = reply(begin().message)
		expect(codeOf(run(readFinish(state, Uint8Array.of(7, 1), { nowMs: NOW })))).toBe('SUITE_UNSUPPORTED')
		expect(codeOf(run(readFinish(state, EMPTY, { nowMs: NOW })))).toBe('HANDSHAKE_TRUNCATED')
	})

	it('a key of low order in the first message, when it would answer', () => {
		const low = importNodeAgreementKey(filled(6))
		const zero = { ...low, algorithm: 'x25519', publicKey: new Uint8Array(32) } as const
		const state = run(
			startNoise({ pattern: 'XXpsk3', role: 'initiator', prologue: handshakePrologue(nodeId), staticKey: deviceLinkKey }),
		)
		const forged = runCryptoSync(
			{
				...nodeCrypto,
				perform: (op) => (op.kind === 'generate_agreement_key' ? { kind: 'agreement_key', key: zero } : nodeCrypto.perform(op)),
			},
			writeNoise(state, encodeHandshakePayload({ versions: [1], intent: 'open' })),
		)
		if (!forged.ok) throw new Error(forged.error)
		const opened = valueOf(run(readOpening({ nodeId, linkKey: nodeLinkKey }, Uint8Array.of(1, ...forged.value.message))))
		expect(codeOf(run(replyHandshake(opened, { psk: NO_PSK, certificate: nodeCertificate, features: [] })))).toBe('KEY_REFUSED')
	})

	it('to write a message above the limit', () => {
		const opened = valueOf(run(readOpening({ nodeId, linkKey: nodeLinkKey }, begin().message)))
		const features = Array.from({ length: 32 }, () => 'f'.repeat(200))
		expect(codeOf(run(replyHandshake(opened, { psk: NO_PSK, certificate: nodeCertificate, features })))).toBe(
			'HANDSHAKE_TOO_LARGE',
		)
	})

	it('arbitrary bytes, without throwing', () => {
		const { state } = reply(begin().message)
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
				expect(judge1(Uint8Array.of(1, ...bytes))).not.toBe('no fault')
				expect(codeOf(run(readFinish(state, Uint8Array.of(1, ...bytes), { nowMs: NOW })))).not.toBe('no fault')
			}),
		)
	})
})

describe('what the initiator itself gets wrong', () => {
	it('throws for a secret where none belongs and for another intent at the end', () => {
		const secret = { id: 'i', origin: 'https://a', secret: filled(5) }
		expect(() => begin({ secret })).toThrow('no place in intent open')
		const first = begin({ intent: 'resume' })
		const replied = valueOf(run(readReply(first.state, reply(first.message).message, { nowMs: NOW })))
		expect(() => run(finishHandshake(replied, payload3))).toThrow('opened to resume, not to open')
		expect(() => provedKey(first.state.noise)).toThrow('not shown its static key')
	})

	it('reports messages above the limit', () => {
		const many = Array.from({ length: 2000 }, (_, index) => index)
		expect(codeOf(run(openHandshake({ nodeId, linkKey: deviceLinkKey, intent: 'open', versions: many })))).toBe(
			'HANDSHAKE_TOO_LARGE',
		)
		const first = begin()
		const replied = valueOf(run(readReply(first.state, reply(first.message).message, { nowMs: NOW })))
		const features = Array.from({ length: 32 }, () => 'f'.repeat(200))
		expect(codeOf(run(finishHandshake(replied, { ...payload3, features })))).toBe('HANDSHAKE_TOO_LARGE')
	})

	it('makes the same messages of the same keys', () => {
		const fixed = () => withFixed(nodeCrypto, { keys: [importNodeAgreementKey(filled(7))] })
		const make = () =>
			runCryptoSync(
				{ ...nodeCrypto, perform: (op) => syncResult(fixed(), op) },
				openHandshake({ nodeId, linkKey: deviceLinkKey, intent: 'open' }),
			)
		expect(valueOf(make()).message).toEqual(valueOf(make()).message)
	})
})

function syncResult(
	driver: ReturnType<typeof withFixed>,
	op: Parameters<typeof nodeCrypto.perform>[0],
): ReturnType<typeof nodeCrypto.perform> {
	const result = driver.perform(op)
	if (result instanceof Promise) throw new Error('driver is not synchronous')
	return result
}

describe('versions', () => {
	it('chooses the highest that both speak', () => {
		expect(chooseVersion([1, 3, 2], [2, 3, 4])).toEqual({ ok: true, value: 3 })
		expect(codeOf(chooseVersion([1], [2]))).toBe('VERSION_UNSUPPORTED')
	})

	it('accepts no other choice, so that a path which takes versions away is noticed', () => {
		expect(checkVersion([1, 2], [1, 2], 2)).toEqual({ ok: true, value: 2 })
		expect(codeOf(checkVersion([1, 2], [1, 2], 1))).toBe('VERSION_DOWNGRADED')
		expect(codeOf(checkVersion([1], [2], 2))).toBe('VERSION_UNSUPPORTED')
	})
})
