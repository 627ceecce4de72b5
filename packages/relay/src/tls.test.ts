import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { Logger } from '@sallyport/protocol'
import { silentLogger } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWebServer } from './tls.ts'

/** Every system has it; certificates are made by nothing that is among our dependencies yet. */
const OPENSSL = 'openssl'

let folder: string
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
	for (const name of ['one', 'two']) {
		const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
		execFileSync(
			OPENSSL,
			[
				'req',
				'-x509',
				'-newkey',
				'ec',
				'-pkeyopt',
				'ec_paramgen_curve:P-256',
				'-nodes',
				'-days',
				'1',
				'-subj',
				`/CN=${name}`,
				...files,
			],
			{
				stdio: 'ignore',
			},
		)
	}
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function nameServed(port: number): Promise<string> {
	const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
	await once(socket, 'secureConnect')
	const name = String(socket.getPeerCertificate().subject.CN)
	socket.destroy()
	return name
}

describe('TLS from files', () => {
	it('serves a new pair once both files fit, and the old one until then', async () => {
		const files = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') }
		copyFileSync(join(folder, 'one.crt'), files.certFile)
		copyFileSync(join(folder, 'one.key'), files.keyFile)
		const heard: string[] = []
		let wake = (): void => {}
		const note = (message: string): void => {
			heard.push(message)
			wake()
		}
		const log: Logger = { ...silentLogger, info: note, warn: note }
		const until = async (start: string): Promise<void> => {
			while (!heard.some((message) => message.startsWith(start))) await new Promise<void>((resolve) => (wake = resolve))
		}
		const web = createWebServer(files, (_request, response) => response.end(), { log, lookMs: 20 })
		web.server.listen(0, '127.0.0.1')
		await once(web.server, 'listening')
		const { port } = web.server.address() as AddressInfo
		expect(await nameServed(port)).toBe('one')
		copyFileSync(join(folder, 'two.crt'), files.certFile)
		await until('tls certificate not changed')
		expect(await nameServed(port)).toBe('one')
		copyFileSync(join(folder, 'two.key'), files.keyFile)
		await until('tls certificate loaded')
		expect(await nameServed(port)).toBe('two')
		await web.close()
	})

	it('says at the start what is wrong with the files', () => {
		writeFileSync(join(folder, 'bad.crt'), 'no certificate')
		const files = { certFile: join(folder, 'bad.crt'), keyFile: join(folder, 'one.key') }
		expect(() => createWebServer(files, () => undefined, { log: silentLogger })).toThrow(
			expect.objectContaining({ code: 'TLS_UNUSABLE' }),
		)
		const missing = { certFile: join(folder, 'none.crt'), keyFile: join(folder, 'one.key') }
		expect(() => createWebServer(missing, () => undefined, { log: silentLogger })).toThrow(
			/TLS_CERT and TLS_KEY can't be used: .*none\.crt/,
		)
	})
})
