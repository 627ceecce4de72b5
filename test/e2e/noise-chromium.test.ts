import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCrypto } from '../../packages/carrier/src/crypto/crypto-driver.ts'
import { makeIdentity, nodeIdOf } from '../../packages/carrier/src/crypto/identity.ts'
import { acceptChannel } from '../../packages/carrier/src/secure-channel/open-channel.ts'
import { fromHex, nodeCrypto, toHex } from '../support/crypto.ts'
import { MemorySocket } from '../support/memory-sockets.ts'
import { readNoiseVectors, readX25519Vectors } from '../support/outside-vectors.ts'
import type { page as pageFunctions } from './noise-chromium.page.ts'

declare global {
	var sallyportPage: typeof pageFunctions
}

const NOW = Date.UTC(2026, 10, 22)
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const FLAGS = [
	'--no-sandbox',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
]

let browser: Browser
let server: Server
let page: Page

beforeAll(async () => {
	const bundle = await build({
		entryPoints: [fileURLToPath(new URL('noise-chromium.page.ts', import.meta.url))],
		bundle: true,
		write: false,
		format: 'iife',
		platform: 'browser',
		conditions: ['@sallyport/source'],
	})
	const script = bundle.outputFiles[0]?.text ?? ''
	server = createServer((request, response) => {
		const isScript = request.url === '/page.js'
		response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
		response.end(isScript ? script : '<!doctype html><title>noise</title><script src="/page.js"></script>')
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	const port = typeof address === 'object' && address !== null ? address.port : 0
	browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
	page = await browser.newPage()
	await page.goto(`http://127.0.0.1:${port}/`)
})

afterAll(async () => {
	await browser?.close()
	await new Promise((resolve) => server.close(resolve))
})

const noiseVectors = readNoiseVectors()?.filter(({ protocol_name }) =>
	/^Noise_XX(psk3)?_25519_AESGCM_SHA256$/.test(protocol_name),
)
const x25519Vectors = readX25519Vectors()

describe('in a real Chromium', () => {
	it.skipIf(noiseVectors === undefined)('noise reproduces the outside vectors (../shared/vectors/noise)', async () => {
		expect(noiseVectors).toHaveLength(2)
		for (const vector of noiseVectors ?? []) {
			const made = await page.evaluate((input) => globalThis.sallyportPage.runNoiseVector(input), vector)
			const handshake = vector.messages.slice(0, 3)
			expect(made.ciphertexts).toEqual(handshake.map((message) => message.ciphertext))
			expect(made.payloads).toEqual(handshake.map((message) => message.payload))
			expect(made.handshakeHash).toBe(vector.handshake_hash)
		}
	})

	it.skipIf(x25519Vectors === undefined)(
		'X25519 agrees with the outside vectors and refuses all-zero secrets (../shared/vectors/wycheproof)',
		async () => {
			const vectors = x25519Vectors ?? []
			const shared = await page.evaluate((input) => globalThis.sallyportPage.runX25519Vectors(input), vectors)
			// `undefined` comes out of the page as null or undefined.
			expect(shared.map((secret) => secret ?? 'refused')).toEqual(
				vectors.map((vector) => (/^0+$/.test(vector.shared) ? 'refused' : vector.shared)),
			)
		},
	)

	it('a channel to a node opens, carries records in order and rekeys on both sides', async () => {
		const agent = await runCrypto(nodeCrypto, makeIdentity('node', NOW))
		const nodeId = await runCrypto(nodeCrypto, nodeIdOf(agent.identityKey))
		const socket = new MemorySocket()
		socket.tap = (message) => {
			void page.evaluate((hex) => globalThis.sallyportPage.arrive(hex), toHex(message))
			return []
		}
		await page.exposeFunction('deliverToNode', (hex: string) => socket.arrive(fromHex(hex)))
		const accepting = acceptChannel({
			socket,
			crypto: nodeCrypto,
			nodeId,
			identity: agent,
			nowMs: NOW,
			recordsPerKey: 4,
			features: [],
			secretFor: async () => undefined,
		})
		const opening = page.evaluate(({ nodeId, nowMs }) => globalThis.sallyportPage.openFromPage(nodeId, nowMs, 30, 4), {
			nodeId,
			nowMs: NOW,
		})
		const accepted = await accepting
		if (!accepted.ok) throw new Error(accepted.error.detail)
		const { channel, handshakeHash } = accepted.value
		channel.setHandlers({ onRecord: (record) => channel.send(record), onEnd: () => undefined })
		const opened = await opening
		expect(opened.fault).toBeUndefined()
		expect(opened.handshakeHash).toBe(toHex(handshakeHash))
		expect(opened.received).toEqual(Array.from({ length: 30 }, (_, index) => toHex(Uint8Array.of(index))))
	})

	it('an identity lives in IndexedDB, and its private keys can not be read out', async () => {
		expect(await page.evaluate((nowMs) => globalThis.sallyportPage.keepIdentity(nowMs), NOW)).toEqual({
			same: true,
			readable: false,
			renewed: true,
		})
	})
})
