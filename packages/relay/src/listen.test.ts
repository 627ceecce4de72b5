import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listen } from './listen.ts'

describe('a listening server', () => {
	it('outlives a connection that the system could not accept', async () => {
		const server = createServer()
		expect(await listen(server, { host: '127.0.0.1', port: 0 })).toBeGreaterThan(0)
		// What Node says when a process is out of file descriptors.
		expect(() => server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))).not.toThrow()
		expect(server.listening).toBe(true)
		server.close()
	})

	it('tells in words that its port is taken', async () => {
		const first = createServer()
		const port = await listen(first, { host: '127.0.0.1', port: 0 })
		await expect(listen(createServer(), { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
		first.close()
	})
})
