import { chmod, rm } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { openPrivateDirectory } from '@sallyport/carrier/node'
import type { Logger } from '@sallyport/protocol'
import { parseJson, parseWith } from '@sallyport/protocol'
import { AgentError, errorText, systemCode } from '../errors.ts'
import type { ControlHandlers, ControlRequest } from './control-api.ts'
import { controlRequestSchema } from './control-api.ts'
import { controlSocketPath } from './control-path.ts'

export interface ControlServer {
	readonly path: string
	close(): Promise<void>
}

const BODY_MAX_BYTES = 16 * 1024

/**
 * Answers the CLI of the same user, over a socket that nobody else can open. Holding that socket is also what keeps a
 * second agent off the same data folder.
 *
 * @throws {AgentError} `already_running`
 */
export async function openControlServer(dataDir: string, handlers: ControlHandlers, log: Logger): Promise<ControlServer> {
	const { folder, path } = controlSocketPath(dataDir)
	await openPrivateDirectory(folder)
	const server = createServer((request, response) => void handle(request, response, handlers, log))
	await claim(server, path, dataDir)
	await chmod(path, 0o600)
	return {
		path,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}

async function claim(server: Server, path: string, dataDir: string): Promise<void> {
	try {
		await listen(server, path)
		return
	} catch (error) {
		if (systemCode(error) !== 'EADDRINUSE') throw error
	}
	if (await isAnswered(path)) {
		throw new AgentError(
			'already_running',
			`an agent is running already with the data folder ${dataDir}: see it with sally agent status, stop it with sally agent stop`,
		)
	}
	// Left by an agent that was killed.
	await rm(path, { force: true })
	await listen(server, path)
}

function listen(server: Server, path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		// The socket is private from its first moment, not from the chmod on.
		const mask = process.umask(0o177)
		server.once('error', reject)
		server.listen(path, () => {
			server.off('error', reject)
			// A connection that can't be accepted, as when file descriptors run out, is no reason to end for all others.
			server.on('error', () => undefined)
			resolve()
		})
		process.umask(mask)
	})
}

function isAnswered(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(path)
		socket.once('connect', () => {
			socket.destroy()
			resolve(true)
		})
		socket.once('error', () => resolve(false))
	})
}

async function handle(request: IncomingMessage, response: ServerResponse, handlers: ControlHandlers, log: Logger): Promise<void> {
	const reply = (status: number, body: object): void => {
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
	}
	try {
		if (request.method !== 'POST' || request.url !== '/control')
			return reply(404, { error: { code: 'not_found', message: 'there is nothing here' } })
		const json = parseJson(await readBody(request), BODY_MAX_BYTES)
		const parsed = json.ok ? parseWith(controlRequestSchema, json.value) : json
		if (!parsed.ok) return reply(400, { error: { code: 'request_failed', message: parsed.error.detail } })
		return reply(200, { answer: await dispatch(parsed.value, handlers) })
	} catch (error) {
		if (error instanceof AgentError) return reply(409, { error: { code: error.code, message: error.message } })
		log.error('control request failed', { reason: errorText(error) })
		return reply(500, { error: { code: 'request_failed', message: errorText(error) } })
	}
}

function dispatch(request: ControlRequest, handlers: ControlHandlers): Promise<unknown> {
	// Safe: the handler found under a request's op takes requests of that op.
	const handler = handlers[request.op] as (request: ControlRequest) => Promise<unknown>
	return handler(request)
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
	const chunks: Buffer[] = []
	let byteCount = 0
	for await (const chunk of request) {
		if (!Buffer.isBuffer(chunk)) throw new TypeError('a request body comes as bytes')
		byteCount += chunk.length
		if (byteCount > BODY_MAX_BYTES) throw new AgentError('request_failed', `a request is at most ${BODY_MAX_BYTES} bytes`)
		chunks.push(chunk)
	}
	return Buffer.concat(chunks)
}
