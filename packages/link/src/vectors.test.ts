/**
 * The project's own published vectors (`vectors/`), made of fixed keys. They may change only with `docs/protocol.md` and
 * a new label or version: set `WRITE_VECTORS=1` to write them then.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type HandshakePayload3, LIMITS, nodeIdFromHash, nodeIdInput, utf8ToBytes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { driversUnderTest, nodeCrypto, toHex, withFixed } from '../../../test/support/crypto.ts'
import { runCrypto, runCryptoSync } from '../../carrier/src/crypto/crypto-driver.ts'
import { importNodeSigningKey } from '../../carrier/src/node/crypto-node.ts'
import type { Crypto } from './crypto/crypto-effects.ts'
import { hash, seal } from './crypto/crypto-effects.ts'
import { nextKey, noiseNonce } from './crypto/nonce.ts'
import { issueCertificate, verifyDeviceCertificate, verifyNodeCertificate } from './handshake/certificates.ts'
import type { HandshakeResult } from './handshake/handshake-fault.ts'
import { finishHandshake, openHandshake, readReply } from './handshake/initiator.ts'
import { linkPsk, NO_PSK } from './handshake/link-psk.ts'
import { readFinish, readOpening, replyHandshake } from './handshake/responder.ts'
import { approveCode, approveCommit, returnCode } from './pairing/approve-code.ts'

const NOW = 1_795_305_600_000
const FOLDER = new URL('../../../vectors/', import.meta.url)
const run = <T>(work: Crypto<T>): T => runCryptoSync(nodeCrypto, work)
const filled = (value: number): Uint8Array => new Uint8Array(32).fill(value)

function expectPublished(name: string, actual: unknown): void {
	const path = fileURLToPath(new URL(name, FOLDER))
	if (process.env['WRITE_VECTORS'] === '1') writeFileSync(path, `${JSON.stringify(actual, undefined, '\t')}\n`)
	expect(actual).toEqual(JSON.parse(readFileSync(path, 'utf8')))
}

function valueOf<T>(result: HandshakeResult<T>): T {
	if (!result.ok) throw new Error(result.error.detail)
	return result.value
}

const secrets = {
	node_identity_seed: filled(0x11),
	node_link_private: filled(0x12),
	node_ephemeral_private: filled(0x13),
	device_identity_seed: filled(0x21),
	device_link_private: filled(0x22),
	device_ephemeral_private: filled(0x23),
}
const pairing = { id: 'invite-0001', origin: 'https://relay.example', secret: filled(0x31) }

describe.each(driversUnderTest)('published vectors by $name crypto', ({ driver, importAgreementKey }) => {
	// Ed25519 is deterministic (RFC 8032), so one driver's signatures stand for both.
	const identity = (seed: Uint8Array) => importNodeSigningKey(seed)

	async function parts() {
		const nodeLink = await importAgreementKey(secrets.node_link_private)
		const deviceLink = await importAgreementKey(secrets.device_link_private)
		const nodeIdentity = identity(secrets.node_identity_seed)
		const deviceIdentity = identity(secrets.device_identity_seed)
		const nodeId = nodeIdFromHash(await runCrypto(driver, hash(nodeIdInput(nodeIdentity.publicKey))))
		const nodeRequest = { role: 'node', identityKey: nodeIdentity, linkKey: nodeLink.publicKey, nowMs: NOW } as const
		const deviceRequest = { role: 'device', identityKey: deviceIdentity, linkKey: deviceLink.publicKey, nowMs: NOW } as const
		return {
			nodeLink,
			deviceLink,
			nodeIdentity,
			deviceIdentity,
			nodeId,
			nodeCertificate: run(issueCertificate(nodeRequest)),
			deviceCertificate: run(issueCertificate(deviceRequest)),
		}
	}

	it('certificates', async () => {
		const made = await parts()
		const node = await runCrypto(
			driver,
			verifyNodeCertificate(made.nodeCertificate, { linkKey: made.nodeLink.publicKey, nowMs: NOW, nodeId: made.nodeId }),
		)
		const device = await runCrypto(
			driver,
			verifyDeviceCertificate(made.deviceCertificate, { linkKey: made.deviceLink.publicKey, nowMs: NOW }),
		)
		expectPublished('certificates.json', [
			{
				role: 'node',
				identity_seed: toHex(secrets.node_identity_seed),
				identity_key: toHex(made.nodeIdentity.publicKey),
				link_key: toHex(made.nodeLink.publicKey),
				serial: NOW,
				not_before_ms: NOW,
				not_after_ms: NOW + LIMITS.certificateMs,
				certificate: toHex(made.nodeCertificate),
				id: valueOf(node).nodeId,
			},
			{
				role: 'device',
				identity_seed: toHex(secrets.device_identity_seed),
				identity_key: toHex(made.deviceIdentity.publicKey),
				link_key: toHex(made.deviceLink.publicKey),
				serial: NOW,
				not_before_ms: NOW,
				not_after_ms: NOW + LIMITS.certificateMs,
				certificate: toHex(made.deviceCertificate),
				id: valueOf(device).deviceId,
			},
		])
	})

	it('psk of a pairing secret', async () => {
		expectPublished('link-psk.json', [
			{
				secret: toHex(pairing.secret),
				origin: pairing.origin,
				secret_id: pairing.id,
				psk: toHex(await runCrypto(driver, linkPsk(pairing))),
			},
		])
	})

	it('approve codes', async () => {
		const rows = []
		for (const [h, client, node] of [
			[1, 2, 3],
			[4, 5, 6],
			[0xff, 0, 0x80],
		] as const) {
			const transcript = { handshakeHash: filled(h), clientNonce: filled(client), nodeNonce: filled(node) }
			rows.push({
				handshake_hash: toHex(transcript.handshakeHash),
				client_nonce: toHex(transcript.clientNonce),
				node_nonce: toHex(transcript.nodeNonce),
				commit: toHex(await runCrypto(driver, approveCommit(transcript.handshakeHash, transcript.clientNonce))),
				code: await runCrypto(driver, approveCode(transcript)),
				return_code: await runCrypto(driver, returnCode(transcript)),
			})
		}
		expectPublished('approve-codes.json', rows)
	})

	it('whole handshakes with the first records', async () => {
		const made = await parts()
		const keyOf = (raw: Uint8Array) => importAgreementKey(raw)
		const deviceCrypto = async () => withFixed(driver, { keys: [await keyOf(secrets.device_ephemeral_private)] })
		const nodeSide = async () => withFixed(driver, { keys: [await keyOf(secrets.node_ephemeral_private)] })
		const common = { features: [], certificate: made.deviceCertificate }
		const scenarios: readonly {
			readonly name: string
			readonly secret?: typeof pairing
			readonly payload3: HandshakePayload3
		}[] = [
			{ name: 'open', payload3: { intent: 'open', ...common, session_id: parsedSession() } },
			{
				name: 'pair by secret',
				secret: pairing,
				payload3: { intent: 'pair', ...common, device_name: 'laptop', device_kind: 'cli' },
			},
		]
		const rows = []
		for (const { name, secret, payload3 } of scenarios) {
			const { intent } = payload3
			const opened = valueOf(
				await runCrypto(
					await deviceCrypto(),
					openHandshake({ nodeId: made.nodeId, linkKey: made.deviceLink, intent, ...(secret && { secret }) }),
				),
			)
			const opening = valueOf(
				await runCrypto(driver, readOpening({ nodeId: made.nodeId, linkKey: made.nodeLink }, opened.message)),
			)
			const psk = secret === undefined ? NO_PSK : await runCrypto(driver, linkPsk(secret))
			const reply = valueOf(
				await runCrypto(await nodeSide(), replyHandshake(opening, { psk, certificate: made.nodeCertificate, features: [] })),
			)
			const replied = valueOf(await runCrypto(driver, readReply(opened.state, reply.message, { nowMs: NOW })))
			const third = valueOf(await runCrypto(driver, finishHandshake(replied, payload3)))
			const finished = valueOf(await runCrypto(driver, readFinish(reply.state, third.message, { nowMs: NOW })))
			expect(finished.keys.receiveKey).toEqual(third.keys.sendKey)
			const record = async (key: Uint8Array, counter: number): Promise<string> =>
				toHex(await runCrypto(driver, seal(key, noiseNonce(counter), new Uint8Array(0), utf8ToBytes(`record ${counter}`))))
			const next = await runCrypto(driver, nextKey(third.keys.sendKey))
			rows.push({
				name,
				now_ms: NOW,
				node_id: made.nodeId,
				...Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, toHex(value)])),
				psk: toHex(psk),
				message_1: toHex(opened.message),
				message_2: toHex(reply.message),
				message_3: toHex(third.message),
				handshake_hash: toHex(third.keys.handshakeHash),
				device_to_node: {
					key: toHex(third.keys.sendKey),
					record_0: await record(third.keys.sendKey, 0),
					record_1: await record(third.keys.sendKey, 1),
					key_after_2_to_20_records: toHex(next),
					record_1048576: await record(next, 2 ** 20),
				},
				node_to_device: { key: toHex(third.keys.receiveKey), record_0: await record(third.keys.receiveKey, 0) },
			})
		}
		expectPublished('handshakes.json', rows)
	})
})

function parsedSession(): Extract<HandshakePayload3, { intent: 'open' }>['session_id'] & string {
	// A fixed id for the vector; ids are otherwise made by schemas alone.
	return 'session-0001' as Extract<HandshakePayload3, { intent: 'open' }>['session_id'] & string
}
