import type { Server } from 'node:net'
import { RelayError } from './errors.ts'

export interface ListenAddress {
	readonly host: string
	/** 0 takes any free port. */
	readonly port: number
}

/**
 * Listens, and gives the port that is really used.
 *
 * @throws {RelayError} `PORT_TAKEN`, `PORT_FORBIDDEN`, `ADDRESS_UNKNOWN`, `LISTEN_FAILED`
 */
export function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
	return new Promise((resolve, reject) => {
		const onError = (cause: Error): void => reject(listenError(cause, { host, port }))
		server.once('error', onError)
		server.listen(port, host, () => {
			server.off('error', onError)
			// A connection that can't be accepted, as when file descriptors run out, is no reason to end for all others.
			server.on('error', () => undefined)
			const address = server.address()
			resolve(typeof address === 'object' && address !== null ? address.port : port)
		})
	})
}

function listenError(cause: Error, { host, port }: ListenAddress): RelayError {
	const code = 'code' in cause ? cause.code : undefined
	if (code === 'EADDRINUSE')
		return new RelayError(
			'PORT_TAKEN',
			`port ${port} on ${host} is taken by another program; stop it, or choose another port with PORT`,
			{
				cause,
			},
		)
	if (code === 'EACCES')
		return new RelayError('PORT_FORBIDDEN', `this user may not listen on port ${port}; choose one from 1024 on with PORT`, {
			cause,
		})
	if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
		return new RelayError(
			'ADDRESS_UNKNOWN',
			`${host} is not an address of this machine; set HOST to one that is, or to 0.0.0.0`,
			{
				cause,
			},
		)
	return new RelayError('LISTEN_FAILED', `the relay could not listen on ${host} port ${port}: ${cause.message}`, { cause })
}
