import { createServer, type Socket } from 'node:net'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { type Forward, parseForward } from '../text/targets.ts'

const BUFFER_BYTES = 1024 * 1024

/** `sally forward NODE [BIND:]PORT[:HOST:PORT]…`: ports here that lead there, until interrupted. */
export async function forward(context: Context, node: string, specs: readonly string[]): Promise<number> {
	const forwards = specs.map(parseForward)
	// Asked once before listening: a machine that can't be reached is told now, not at the first connection.
	await context.links.result({ op: 'connect', node })
	const servers = await Promise.all(forwards.map((item) => listen(context, node, item)))
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			process.once(signal, () => {
				for (const server of servers) server.close()
				resolve(EXIT.ok)
			})
		}
	})
}

function listen(context: Context, node: string, item: Forward) {
	const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark: BUFFER_BYTES }, (socket) => {
		socket.setNoDelay(true)
		void carry(context, node, item, socket)
	})
	return new Promise<typeof server>((resolve, reject) => {
		server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(item, error)))
		server.listen(item.listenPort, item.bind, () => {
			const address = server.address()
			const port = typeof address === 'object' && address !== null ? address.port : item.listenPort
			context.say(`forwarding ${showHost(item.bind)}:${port} to ${item.target.host ?? ''}:${item.target.port ?? ''} on ${node}`)
			resolve(server)
		})
	})
}

async function carry(context: Context, node: string, item: Forward, socket: Socket): Promise<void> {
	socket.on('error', () => undefined)
	try {
		const { channel } = await context.links.ask({ op: 'tcp', node, ...item.target })
		channel.on('data', (chunk: Buffer) => {
			if (!socket.write(chunk)) channel.pause()
		})
		socket.on('drain', () => channel.resume())
		channel.on('end', () => socket.end())
		channel.on('close', () => {
			if (!channel.readableEnded) socket.resetAndDestroy()
		})
		socket.on('data', (chunk: Buffer) => {
			if (!channel.write(chunk)) socket.pause()
		})
		channel.on('drain', () => socket.resume())
		socket.on('end', () => channel.end())
		socket.on('close', () => {
			if (!socket.readableEnded) channel.destroy()
		})
		socket.resume()
		channel.resume()
	} catch (caught) {
		context.say(
			`a connection to ${showHost(item.target.host ?? '')}:${item.target.port ?? ''} failed: ${CliError.from(caught).message}`,
		)
		socket.resetAndDestroy()
	}
}

function listenFailure(item: Forward, error: NodeJS.ErrnoException): CliError {
	const where = `${showHost(item.bind)}:${item.listenPort}`
	switch (error.code) {
		case 'EADDRINUSE':
			return new CliError(EXIT.failed, `${where} is taken by another program: choose another port`)
		case 'EACCES':
			return new CliError(EXIT.failed, `this user may not listen on ${where}: choose a port above 1023`)
		case 'EADDRNOTAVAIL':
		case 'ENOTFOUND':
			return new CliError(EXIT.failed, `${item.bind} is not an address of this computer`)
		default:
			return new CliError(EXIT.failed, `can't listen on ${where}: ${error.message}`)
	}
}

function showHost(host: string): string {
	return host.includes(':') ? `[${host}]` : host
}
