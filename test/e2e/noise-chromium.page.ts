/**
 * What the Chromium test runs inside the page: the same core and the same vectors as in Node, on the browser's WebCrypto.
 * Bundled by the test; everything in and out is JSON.
 */
import { createWebCrypto, WebAgreementKey } from '../../packages/carrier/src/browser/crypto-web.ts'
import { identityToStored, storedToIdentity } from '../../packages/carrier/src/browser/identity-web.ts'
import type { CryptoDriver } from '../../packages/carrier/src/crypto/crypto-driver.ts'
import { runCrypto } from '../../packages/carrier/src/crypto/crypto-driver.ts'
import { makeIdentity, renewIdentity } from '../../packages/carrier/src/crypto/identity.ts'
import { initiateChannel } from '../../packages/carrier/src/secure-channel/open-channel.ts'
import type { AgreementKey } from '../../packages/link/src/crypto/crypto-effects.ts'
import { dh } from '../../packages/link/src/crypto/crypto-effects.ts'
import type { NoisePattern, NoiseResult, NoiseState } from '../../packages/link/src/noise/noise.ts'
import { finishNoise, readNoise, startNoise, withPsk, writeNoise } from '../../packages/link/src/noise/noise.ts'
import { MemorySocket } from '../support/memory-sockets.ts'
import type { NoiseVector, X25519Vector } from '../support/outside-vectors.ts'

const driver = createWebCrypto()
const PKCS8_X25519 = '302e020100300506032b656e04220420'

function fromHex(text: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function toHex(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function importKey(hex: string): Promise<AgreementKey> {
	const pkcs8 = fromHex(PKCS8_X25519 + hex)
	const readable = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, true, ['deriveBits'])
	const { x = '' } = await crypto.subtle.exportKey('jwk', readable)
	const publicKey = Uint8Array.from(atob(x.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))
	return new WebAgreementKey(publicKey, await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, false, ['deriveBits']))
}

function withKey(key: AgreementKey): CryptoDriver {
	return {
		...driver,
		perform: (op) => (op.kind === 'generate_agreement_key' ? { kind: 'agreement_key', key } : driver.perform(op)),
	}
}

function valueOf<T>(result: NoiseResult<T>): T {
	if (!result.ok) throw new Error(result.error)
	return result.value
}

/** Runs a whole handshake with the vector's keys; gives what must equal the vector. */
async function runNoiseVector(
	vector: NoiseVector,
): Promise<{ ciphertexts: string[]; payloads: string[]; handshakeHash: string }> {
	const pattern: NoisePattern = vector.protocol_name.includes('psk3') ? 'XXpsk3' : 'XX'
	const start = async (role: 'initiator' | 'responder', staticHex: string): Promise<NoiseState> => {
		const staticKey = await importKey(staticHex)
		const state = await runCrypto(driver, startNoise({ pattern, role, prologue: fromHex(vector.init_prologue), staticKey }))
		const [psk] = vector.init_psks ?? []
		return psk === undefined ? state : withPsk(state, fromHex(psk))
	}
	let writer = await start('initiator', vector.init_static)
	let reader = await start('responder', vector.resp_static)
	let writerCrypto = withKey(await importKey(vector.init_ephemeral))
	let readerCrypto = withKey(await importKey(vector.resp_ephemeral))
	const ciphertexts: string[] = []
	const payloads: string[] = []
	for (const message of vector.messages.slice(0, 3)) {
		const written = valueOf(await runCrypto(writerCrypto, writeNoise(writer, fromHex(message.payload))))
		const read = valueOf(await runCrypto(readerCrypto, readNoise(reader, written.message)))
		ciphertexts.push(toHex(written.message))
		payloads.push(toHex(read.payload))
		;[writer, reader] = [read.state, written.state]
		;[writerCrypto, readerCrypto] = [readerCrypto, writerCrypto]
	}
	const [left, right] = [await runCrypto(driver, finishNoise(writer)), await runCrypto(driver, finishNoise(reader))]
	if (toHex(left.initiatorKey) !== toHex(right.initiatorKey)) throw new Error('the two sides have other keys')
	return { ciphertexts, payloads, handshakeHash: toHex(left.handshakeHash) }
}

async function runX25519Vectors(vectors: readonly X25519Vector[]): Promise<(string | undefined)[]> {
	const shared: (string | undefined)[] = []
	for (const vector of vectors) {
		const secret = await runCrypto(driver, dh(await importKey(vector.private), fromHex(vector.public)))
		shared.push(secret && toHex(secret))
	}
	return shared
}

/** The test passes the messages between this page and a node in its own process. */
const socket = new MemorySocket()

interface OpenedFromPage {
	readonly fault?: string
	readonly handshakeHash?: string
	readonly received?: string[]
}

/** Opens a channel to the node over the test's bridge, sends records and collects what is echoed. */
async function openFromPage(nodeId: string, nowMs: number, records: number, recordsPerKey: number): Promise<OpenedFromPage> {
	const deliver: unknown = Reflect.get(globalThis, 'deliverToNode')
	if (typeof deliver !== 'function') throw new Error('the test gave no bridge')
	socket.tap = (message) => {
		deliver(toHex(message))
		return []
	}
	const identity = await runCrypto(driver, makeIdentity('device', nowMs))
	const opened = await initiateChannel({
		socket,
		crypto: driver,
		nodeId,
		identity,
		nowMs,
		recordsPerKey,
		intent: 'open',
		decide: async () => ({ intent: 'open', features: [] }),
	})
	if (!opened.ok) return { fault: opened.error.code }
	const { channel, handshakeHash } = opened.value
	const received: string[] = []
	await new Promise<void>((resolve, reject) => {
		channel.setHandlers({
			onRecord: (record) => {
				received.push(toHex(record))
				if (received.length === records) resolve()
			},
			onEnd: (end) => reject(new Error(JSON.stringify(end))),
		})
		for (let index = 0; index < records; index++) channel.send(Uint8Array.of(index))
	})
	return { handshakeHash: toHex(handshakeHash), received }
}

/** Puts an identity into IndexedDB, takes it out again and uses it; tells whether any private key could be read out. */
async function keepIdentity(nowMs: number): Promise<{ same: boolean; readable: boolean; renewed: boolean }> {
	const identity = await runCrypto(driver, makeIdentity('device', nowMs))
	const database = await request<IDBDatabase>(() => {
		const opening = indexedDB.open('identities', 1)
		opening.onupgradeneeded = () => opening.result.createObjectStore('own')
		return opening
	})
	const store = (): IDBObjectStore => database.transaction('own', 'readwrite').objectStore('own')
	await request(() => store().put(identityToStored(identity), 'identity'))
	const back = storedToIdentity(await request<unknown>(() => store().get('identity')))
	if (!back.ok) throw new Error(back.error.detail)
	const renewed = await runCrypto(driver, renewIdentity(back.value, nowMs + 80 * 24 * 3600 * 1000))
	const stored = identityToStored(back.value)
	const exported = await Promise.allSettled(
		[stored.identityKey, stored.linkKey].map((key) => crypto.subtle.exportKey('pkcs8', key)),
	)
	return {
		same: toHex(back.value.identityKey.publicKey) === toHex(identity.identityKey.publicKey),
		readable: exported.some((attempt) => attempt.status === 'fulfilled'),
		renewed: toHex(renewed.linkKey.publicKey) !== toHex(identity.linkKey.publicKey),
	}
}

function request<T>(start: () => IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const started = start()
		started.onsuccess = () => resolve(started.result)
		started.onerror = () => reject(started.error ?? new Error('IndexedDB failed'))
	})
}

export const page = {
	runNoiseVector,
	runX25519Vectors,
	openFromPage,
	keepIdentity,
	arrive: (hex: string): void => socket.arrive(fromHex(hex)),
}
Object.assign(globalThis, { sallyportPage: page })
