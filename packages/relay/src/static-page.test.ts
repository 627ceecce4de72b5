import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentSecurityPolicy, createStaticPage } from './static-page.ts'

const SCRIPT = `export const words = ${JSON.stringify('sally '.repeat(1000))}`

let folder: string
let server: Server
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
	const directory = join(folder, 'page')
	mkdirSync(join(directory, 'assets'), { recursive: true })
	writeFileSync(join(folder, 'secret.txt'), 'canary')
	writeFileSync(join(directory, '.env'), 'canary')
	writeFileSync(join(directory, 'index.html'), '<!doctype html><html><head></head><body></body></html>')
	writeFileSync(join(directory, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
	writeFileSync(join(directory, 'assets', 'index-Abc_1234.js'), SCRIPT)
	const page = createStaticPage({ directory, pathPrefix: '', origins: ['https://relay.example'] })
	server = createServer((incoming, response) => void page.serve(incoming, response, (incoming.url ?? '').split('?')[0] ?? ''))
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
})
afterAll(() => {
	server.close()
	rmSync(folder, { recursive: true, force: true })
})

interface Answer {
	readonly status: number | undefined
	readonly headers: IncomingMessage['headers']
	readonly body: Buffer
}

/** By hand, since `fetch` tidies up paths before it sends them. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
	const sent = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', path, headers, method })
	sent.end()
	const [response]: IncomingMessage[] = await once(sent, 'response')
	if (response === undefined) throw new Error('no response')
	const chunks: Buffer[] = []
	for await (const chunk of response) chunks.push(Buffer.from(chunk))
	return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

describe('the static page', () => {
	it.each([
		'/../secret.txt',
		'/%2e%2e/secret.txt',
		'/..%2fsecret.txt',
		'/assets/..%2f..%2fsecret.txt',
		'/assets/../../secret.txt',
		'/.env',
		'/%2eenv',
		'/icon.svg%00.txt',
		'/..\\secret.txt',
		'/%ff.txt',
		'//etc/passwd.txt',
	])('gives nothing from outside its folder for %s', async (path) => {
		const { status, body } = await ask(path)
		expect([404, 200]).toContain(status)
		expect(body.toString()).not.toContain('canary')
		expect(body.toString()).not.toContain('root:')
	})

	it('gives the index for places inside the page, and 404 for files that are not there', async () => {
		for (const path of ['/', '/nodes/abc', '/index.html']) {
			const { status, headers, body } = await ask(path)
			expect([path, status, headers['cache-control']]).toEqual([path, 200, 'no-cache'])
			expect(body.toString()).toContain('<base href="/">')
		}
		expect((await ask('/assets/gone-Abc_1234.js')).status).toBe(404)
		expect((await ask('/favicon.ico')).status).toBe(404)
	})

	it('keeps hashed assets for ever, zips what shrinks, and answers a known tag with 304', async () => {
		const zipped = await ask('/assets/index-Abc_1234.js', { 'accept-encoding': 'br, gzip;q=0.8' })
		expect(zipped.headers).toMatchObject({
			'content-encoding': 'gzip',
			'cache-control': 'public, max-age=31536000, immutable',
			'content-type': 'text/javascript; charset=utf-8',
		})
		expect(gunzipSync(zipped.body).toString()).toBe(SCRIPT)
		const plain = await ask('/assets/index-Abc_1234.js', { 'accept-encoding': 'gzip;q=0' })
		expect([plain.headers['content-encoding'], plain.body.toString()]).toEqual([undefined, SCRIPT])
		expect(plain.headers.etag).not.toBe(zipped.headers.etag)
		const again = await ask('/icon.svg', { 'if-none-match': (await ask('/icon.svg')).headers.etag ?? '' })
		expect([again.status, again.body.length]).toEqual([304, 0])
	})

	it('takes GET and HEAD alone', async () => {
		expect([(await ask('/', {}, 'POST')).status, (await ask('/', {}, 'HEAD')).body.length]).toEqual([405, 0])
	})

	it('allows no inline script, no frame, and sockets to the relay alone', async () => {
		const policy = String((await ask('/')).headers['content-security-policy'])
		expect(policy).toBe(contentSecurityPolicy(['https://relay.example']))
		expect(policy).toContain("connect-src 'self' wss://relay.example;")
		expect(policy).toContain("frame-ancestors 'none'")
		expect(policy).toContain("script-src 'self';")
		expect(policy).toContain("font-src 'self';")
		expect(policy).not.toMatch(/unsafe-eval/)
	})

	it('names no IPv6 address in its policy, which browsers would complain about', () => {
		expect(contentSecurityPolicy(['http://localhost:80', 'http://[::1]:80'])).toContain("connect-src 'self' ws://localhost:80;")
	})

	it.each(['/', '//', '/assets/..'])('finds its assets in a folder that was given with %s at its end', async (end) => {
		const page = createStaticPage({ directory: join(folder, 'page') + end, pathPrefix: '', origins: [] })
		const other = createServer((incoming, response) => void page.serve(incoming, response, incoming.url ?? ''))
		other.listen(0, '127.0.0.1')
		await once(other, 'listening')
		const response = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/assets/index-Abc_1234.js`)
		expect([response.status, await response.text()]).toEqual([200, SCRIPT])
		other.close()
	})

	it('says so when the page is not built', async () => {
		const page = createStaticPage({ directory: join(folder, 'nowhere'), pathPrefix: '', origins: [] })
		const other = createServer((incoming, response) => void page.serve(incoming, response, '/'))
		other.listen(0, '127.0.0.1')
		await once(other, 'listening')
		const response = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
		expect([response.status, await response.text()]).toEqual([503, 'the web page is not built; run: npm run build'])
		other.close()
	})
})
