/**
 * A bare chain, to know which part of the cost is ours: three Node processes with `ws` and AES-GCM, and nothing else. No
 * streams, flow control, acks, resume, padding or checks. As `proxy` it is an ssh ProxyCommand, as `echo` it types keys.
 *
 * `chain.js relay` · `chain.js node PORT SSH_PORT` · `chain.js proxy PORT` · `chain.js echo PORT ROUNDS KEYS`
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { connect } from 'node:net'
import { spawn as spawnPty } from '@lydell/node-pty'
import WebSocket, { type RawData, WebSocketServer } from 'ws'

const KEY = Buffer.alloc(32, 7)
const HIGH_BYTES = 1024 * 1024
const TAG_BYTES = 16
const OPTIONS = { perMessageDeflate: false, maxPayload: 1024 * 1024 } as const

function nonce(counter: number): Buffer {
	const bytes = Buffer.alloc(12)
	bytes.writeUIntBE(counter, 6, 6)
	return bytes
}

/** Both directions of one connection under one key each; the key is no secret here. */
function sealer(): (plain: Buffer) => Buffer {
	let counter = 0
	return (plain) => {
		const cipher = createCipheriv('aes-256-gcm', KEY, nonce(counter++))
		const record = Buffer.allocUnsafe(plain.length + TAG_BYTES)
		cipher.update(plain).copy(record)
		cipher.final()
		cipher.getAuthTag().copy(record, plain.length)
		return record
	}
}

function opener(): (record: Buffer) => Buffer {
	let counter = 0
	return (record) => {
		const decipher = createDecipheriv('aes-256-gcm', KEY, nonce(counter++))
		decipher.setAuthTag(record.subarray(-TAG_BYTES))
		const plain = decipher.update(record.subarray(0, -TAG_BYTES))
		decipher.final()
		return plain
	}
}

function dial(port: string, path: string): WebSocket {
	return new WebSocket(`ws://127.0.0.1:${port}/${path}`, { ...OPTIONS, generateMask: (mask) => void mask.fill(0) })
}

function bytesOf(data: RawData): Buffer {
	return Buffer.isBuffer(data) ? data : Buffer.from([])
}

/** Sends what a source gives; it waits while the socket holds much. */
function pour(source: NodeJS.ReadableStream, ws: WebSocket): void {
	const seal = sealer()
	let isPaused = false
	source.on('data', (chunk: Buffer) => {
		ws.send(seal(chunk), () => {
			if (!isPaused || ws.bufferedAmount > HIGH_BYTES / 4) return
			isPaused = false
			source.resume()
		})
		if (ws.bufferedAmount <= HIGH_BYTES) return
		isPaused = true
		source.pause()
	})
	source.on('end', () => ws.close())
	source.on('close', () => ws.close())
}

function drink(ws: WebSocket, target: NodeJS.WritableStream): void {
	const open = opener()
	ws.on('message', (data) => {
		if (!target.write(open(bytesOf(data)))) ws.pause()
	})
	target.on('drain', () => ws.resume())
	target.on('error', () => ws.terminate())
	ws.on('close', () => target.end())
}

function relay(): void {
	const server = new WebSocketServer({ ...OPTIONS, port: 0, host: '127.0.0.1' })
	const nodes: WebSocket[] = []
	server.on('listening', () => {
		const address = server.address()
		if (address !== null && typeof address !== 'string') process.stdout.write(`port ${address.port}\n`)
	})
	server.on('connection', (ws, request) => {
		if (request.url?.startsWith('/node')) return void nodes.push(ws)
		const node = nodes.shift()
		if (node === undefined) return ws.terminate()
		join(ws, node)
		join(node, ws)
		return node.send('go')
	})
}

function join(from: WebSocket, to: WebSocket): void {
	let isPaused = false
	from.on('message', (data) => {
		to.send(data, () => {
			if (!isPaused || to.bufferedAmount > HIGH_BYTES / 4) return
			isPaused = false
			from.resume()
		})
		if (to.bufferedAmount <= HIGH_BYTES) return
		isPaused = true
		from.pause()
	})
	from.on('close', () => to.close())
	from.on('error', () => to.terminate())
}

function node(port: string, sshPort: string): void {
	const ws = dial(port, 'node')
	ws.once('open', () => process.stdout.write('ready\n'))
	ws.once('message', () => {
		node(port, sshPort)
		if (sshPort === 'pty') return servePty(ws)
		const tcp = connect({ port: Number(sshPort), host: '127.0.0.1', noDelay: true })
		pour(tcp, ws)
		return drink(ws, tcp)
	})
}

function servePty(ws: WebSocket): void {
	const pty = spawnPty('/bin/sh', ['-c', 'stty raw -echo; exec cat'], { encoding: null })
	const seal = sealer()
	const open = opener()
	pty.onData((data: string | Buffer) => ws.send(seal(Buffer.from(data))))
	ws.on('message', (data) => pty.write(open(bytesOf(data)).toString('latin1')))
	ws.on('close', () => pty.kill())
}

function proxy(port: string): void {
	const ws = dial(port, 'client')
	ws.once('open', () => {
		pour(process.stdin, ws)
		drink(ws, process.stdout)
		ws.once('close', () => process.exit(0))
	})
}

function echo(port: string, rounds: number, keys: number): void {
	const ws = dial(port, 'client')
	const seal = sealer()
	const open = opener()
	const key = Buffer.from('a')
	const all: number[][] = []
	let times: number[] = []
	let sentMs = 0
	const type = (): void => {
		sentMs = performance.now()
		ws.send(seal(key))
	}
	// The shell needs a moment before the tty is raw: what is echoed until then belongs to the round that warms up.
	ws.once('open', type)
	ws.on('message', (data) => {
		open(bytesOf(data))
		times.push(performance.now() - sentMs)
		if (times.length === keys) {
			all.push(times)
			times = []
		}
		if (all.length <= rounds) return void setImmediate(type)
		process.stdout.write(`${JSON.stringify(all.slice(1))}\n`, () => process.exit(0))
		return undefined
	})
}

const [role, first = '', second = '', third = ''] = process.argv.slice(2)
if (role === 'relay') relay()
else if (role === 'node') node(first, second)
else if (role === 'proxy') proxy(first)
else echo(first, Number(second), Number(third))
